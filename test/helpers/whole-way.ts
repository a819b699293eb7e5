// The whole program between a client of bare bytes and an upstream of bare bytes: what a test sends, and what the other
// side sees. In this process, or in one of its own that can be stopped.
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { createUpstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { openRawClient } from "../proxy/raw-client.ts";
import type { RawClient } from "../proxy/raw-client.ts";
import { openRawUpstream } from "../proxy/raw-upstream.ts";
import type { RawAnswer, RawUpstream } from "../proxy/raw-upstream.ts";
import { createDataFolder, storeGrants } from "./data-folder.ts";
import type { Proxy } from "./data-folder.ts";
import { startApp, temporaryFolder } from "./running-app.ts";
import type { RunningApp } from "./running-app.ts";

export type Way = {
  readonly upstream: RawUpstream;
  readonly port: number;
  /** A fresh connection, taken down with the test. */
  client(): Promise<RawClient>;
  /** The bytes of a request with Host and the local key; `fields` are further lines. */
  head(line: string, fields?: readonly string[]): string;
  /** The same with a body and its length. */
  post(body: string, fields?: readonly string[]): string;
};

const wayTo = (port: number, key: string, upstream: RawUpstream): Way => {
  const head: Way["head"] = (line, fields = []) => [`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `x-api-key: ${key}`, ...fields, "", ""].join("\r\n");
  return {
    upstream,
    port,
    head,
    post: (body, fields = []) => head("POST /v1/messages", [...fields, "content-type: application/json", `content-length: ${Buffer.byteLength(body)}`]) + body,
    async client() {
      const client = await openRawClient(port);
      onTestFinished(() => void client.socket.destroy());
      return client;
    },
  };
};

const openUpstream = async (answer: RawAnswer, onBytes?: (socket: Socket, seen: Buffer) => void): Promise<RawUpstream> => {
  const upstream = await openRawUpstream(answer, onBytes);
  onTestFinished(() => upstream.close());
  return upstream;
};

type WayOptions = { readonly set?: readonly string[]; readonly onBytes?: (socket: Socket, seen: Buffer) => void };

/** With one signed-in account, in this process; `running.events` are all its facts. */
export const openWay = async (answer: RawAnswer, { set = [], onBytes }: WayOptions = {}): Promise<Way & { readonly running: RunningApp }> => {
  const upstream = await openUpstream(answer, onBytes);
  const simulated = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => simulated.close());
  const dir = temporaryFolder();
  storeGrants(dir, { ada: { grant: simulated.issueTokens() } });
  const running = await startApp({ dir, shared: simulated, set: [`upstream.baseUrl=${upstream.baseUrl}`, ...set] });
  return { ...wayTo(running.listening.port, running.key, upstream), running };
};

/** The same in a process of its own, which can be stopped and go on. */
export const openWayInProcess = async (answer: RawAnswer): Promise<Way & { readonly proxy: Proxy }> => {
  const upstream = await openUpstream(answer);
  const folder = await createDataFolder();
  storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens() } });
  const proxy = await folder.proxy({ set: [`upstream.baseUrl=${upstream.baseUrl}`] });
  return { ...wayTo(Number(new URL(proxy.url).port), folder.key(), upstream), proxy };
};

/** The separate messages in what a client received; a body that holds a status line would count too. */
export const messagesIn = (text: string): readonly string[] => text.split(/(?=HTTP\/1\.1 \d{3} )/).filter((part) => part !== "");

export const statusesIn = (text: string): readonly number[] => messagesIn(text).map((message) => Number(message.slice(9, 12)));
