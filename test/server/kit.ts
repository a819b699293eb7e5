// A real listener on a free port of loopback, with a forwarder that only remembers what reached it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { createSystemClock } from "../../src/lib/clock.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Commands } from "../../src/messages/commands.ts";
import type { Event, EventDraft } from "../../src/messages/events.ts";
import type { ForwardOptions } from "../../src/proxy/exchange.ts";
import { createServer } from "../../src/server/server.ts";
import type { ServerSettings, ServerTimeouts } from "../../src/server/server.ts";
import { createStore } from "../../src/state/store.ts";

export const key = "local-key-canary-0123456789abcdef";

export type Forwarded = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly options: ForwardOptions };

export type KitOptions = Partial<ServerSettings> & {
  readonly key?: string | null;
  readonly timeouts?: Partial<ServerTimeouts>;
  readonly clock?: Clock;
  readonly commands?: Partial<Commands>;
  readonly onCut?: () => void;
  /** Answers instead of the standard 200 `forwarded`. */
  readonly forward?: (forwarded: Forwarded) => void;
};

const settings: ServerSettings = {
  mode: "oauth",
  host: "127.0.0.1",
  port: 0,
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: 67_108_864,
  refreshLeadSeconds: 300,
  rateLimit: { api: null, auth: null },
};

const noCommands = new Proxy({} as Commands, {
  get: (_, name) => () => {
    throw new Error(`unexpected command ${String(name)}`);
  },
});

const answerForwarded = ({ request, response }: Forwarded): void => {
  request.on("end", () => response.end("forwarded")).resume();
};

/** Starts listening. `forwards` are the requests that reached the forwarder, `events` all facts in order. */
export const startServer = async ({ key: localKey = key, timeouts, clock = createSystemClock(), commands, onCut, forward = answerForwarded, ...own }: KitOptions = {}) => {
  const bus = createBus(clock);
  const events: Event[] = [];
  bus.subscribe((event) => events.push(event));
  const store = createStore({ bus, version: "1.2.3", mode: own.mode ?? "oauth" });
  const forwards: Forwarded[] = [];
  let listeners = 0;
  const subscribe = (listener: (event: Event) => void): (() => void) => {
    const stop = bus.subscribe(listener);
    listeners += 1;
    return () => {
      listeners -= 1;
      stop();
    };
  };
  const server = createServer({
    settings: { ...settings, ...own },
    forward: async (request, response, options) => {
      const forwarded = { request, response, options };
      forwards.push(forwarded);
      forward(forwarded);
    },
    commands: Object.assign(Object.create(noCommands) as Commands, { pendingLogin: () => null, canServe: () => false }, commands),
    store,
    publish: bus.publish,
    subscribe,
    clock,
    random: systemRandom,
    key: secret(localKey ?? key),
    keyRequired: localKey !== null,
    version: "1.2.3",
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(onCut === undefined ? {} : { onCut }),
  });
  const { port, url } = await server.listen();
  const publish = (draft: EventDraft): void => bus.publish(draft);
  return { server, port, url, events, forwards, publish, listeners: () => listeners, close: () => server.close(0), [Symbol.asyncDispose]: () => server.close(0) };
};

/** A bare connection: bytes out, text in. */
export type Wire = {
  readonly socket: Socket;
  write(text: string): void;
  /** Everything received once `enough` says so or the connection is closed; rejects after `ms`. */
  until(enough: (text: string) => boolean, ms?: number): Promise<string>;
  /** Everything received until the other side closed. */
  closed(ms?: number): Promise<string>;
};

export const openWire = (port: number, host = "127.0.0.1"): Wire => {
  const socket = connect({ port, host, allowHalfOpen: false });
  let text = "";
  let over = false;
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => { text += chunk; wake(); }).on("error", () => {}).on("close", () => { over = true; wake(); });
  const until = (enough: (seen: string) => boolean, ms = 8000): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => { waiting.delete(check); reject(new Error(`not seen in ${ms} ms; received: ${text.slice(0, 500)}`)); }, ms);
      const check = (): void => {
        if (!over && !enough(text)) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(text);
      };
      waiting.add(check);
      check();
    });
  return { socket, until, closed: (ms) => until(() => false, ms), write: (bytes) => void socket.write(Buffer.from(bytes, "latin1")) };
};

/** True once `text` holds `count` complete answers with Content-Length (or without a body). */
export const answers = (text: string): readonly string[] => text.split(/(?=HTTP\/1\.1 \d{3} )/).filter((part) => part !== "");

export const isWhole = (text: string): boolean => {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  if (length !== undefined) return text.length - end - 4 >= Number(length);
  return !/^transfer-encoding: chunked/im.test(text.slice(0, end)) || text.endsWith("0\r\n\r\n");
};

/** Sends `bytes` on a fresh connection and gives the first answer; the connection is then destroyed. */
export const ask = async (port: number, bytes: string): Promise<string> => {
  const wire = openWire(port);
  wire.write(bytes);
  const text = await wire.until(isWhole);
  wire.socket.destroy();
  return text;
};

export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);

export const bodyOf = (text: string): string => text.slice(text.indexOf("\r\n\r\n") + 4);

export const headerOf = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\r$`, "im").exec(text.slice(0, text.indexOf("\r\n\r\n") + 2))?.[1];

/** A well-formed request with the right Host and key; `fields` replace or (null) remove. */
export const head = (port: number, line: string, fields: Record<string, string | null> = {}): string => {
  const all: Record<string, string | null> = { host: `127.0.0.1:${port}`, "x-api-key": key, ...fields };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return [`${line} HTTP/1.1`, ...lines, "", ""].join("\r\n");
};

/** A POST with `body` as JSON. */
export const post = (port: number, path: string, body: unknown, fields: Record<string, string | null> = {}): string => {
  const text = JSON.stringify(body);
  return head(port, `POST ${path}`, { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)), ...fields }) + text;
};

export const jsonOf = (text: string): Record<string, unknown> => JSON.parse(bodyOf(text)) as Record<string, unknown>;

/** Code and sentence of one of our own errors. */
export const errorOf = (text: string): { code: string | undefined; status: number; type: unknown; message: string } => {
  const { error } = jsonOf(text) as { error: { type: unknown; message: string } };
  return { code: headerOf(text, "x-claude-oauth-proxy-error"), status: statusOf(text), type: error.type, message: error.message };
};
