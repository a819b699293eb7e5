// A process that is stopped and goes on, as Ctrl-Z and `fg`, a debugger or a frozen container do it: its
// streams go on, and it notices at once that its token came to its end meanwhile.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { Proxy } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";

type Stream = { text: string; ended: "whole" | "broken" | null };

const openStream = ({ url }: Proxy, key: string): Stream => {
  const stream: Stream = { text: "", ended: null };
  const sent = request(`${url}/v1/messages`, { method: "POST", agent: false, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } }, (response) => {
    response.on("data", (bytes: Buffer) => void (stream.text += bytes.toString()));
    response.on("error", () => {});
    response.on("close", () => void (stream.ended = response.complete ? "whole" : "broken"));
  });
  sent.on("error", () => void (stream.ended = "broken"));
  sent.end(JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 300, stream: true, messages: [{ role: "user", content: "Say something long." }] }));
  return stream;
};

const stopped = (state: string): boolean => state.split(") ")[1]?.[0] === "T";

it("SIGSTOP for longer than the token lives and SIGCONT with 20 open streams: all go on, the token is renewed at once (F14)", async () => {
  const folder = await createDataFolder({ chunkDelayMs: 200 });
  const plan = ["oauth.refreshLeadSeconds=1", "oauth.refreshMandatorySeconds=1", "oauth.sweepSeconds=1"];
  const proxy = await folder.proxy({ set: plan });
  // After the start, however long that takes: the token must be alive when the streams begin.
  const grant = folder.upstream.issueTokens({ accessTokenSeconds: 4, account: "ada" });
  storeGrants(folder.dir, { ada: { grant } });
  await proxy.waitForEvent("account.added");
  const streams = Array.from({ length: 20 }, () => openStream(proxy, folder.key()));
  await eventually(() => streams.map(({ text }) => text.length), (lengths) => lengths.every((length) => length > 0), { what: "all streams to begin" });

  proxy.kill("SIGSTOP");
  await eventually(() => readFileSync(`/proc/${proxy.pid}/stat`, "utf8"), stopped, { what: "the stop" });
  const calls = folder.upstream.tokenCalls().refresh_token;
  await eventually(() => Date.now(), (now) => now > (grant.expiresAt ?? 0) + 500, { what: "the end of the token" });
  expect(streams.filter(({ ended }) => ended !== null)).toEqual([]);
  proxy.kill("SIGCONT");

  const answers = await Promise.all(Array.from({ length: 5 }, () => proxy.ask()));
  expect([answers.map(({ status }) => status), calls, folder.upstream.tokenCalls().refresh_token]).toEqual([[200, 200, 200, 200, 200], 0, 1]);
  const { reason } = await proxy.waitForEvent("token.refreshed");
  expect(["mandatory", "wake"]).toContain(reason);
  // At once: before any of the answers was there, and by itself, for no request had to be refused first.
  const order = [...proxy.stdout().matchAll(/"type":"(token\.refreshed|request\.finished)"/g)].map(([, type]) => type);
  expect(order[0]).toBe("token.refreshed");
  expect(folder.upstream.requests.filter(({ status }) => status === 401)).toEqual([]);
  await eventually(() => streams.map(({ ended }) => ended), (ends) => ends.every((end) => end !== null), { what: "the end of all streams" });
  expect(streams.filter(({ ended, text }) => ended !== "whole" || !text.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n'))).toEqual([]);
  expect([proxy.child.exitCode, proxy.stderr()]).toEqual([null, ""]);
});
