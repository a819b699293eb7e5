// Half of the accounts cannot serve, each for another reason: the others take over, and only a request that
// an upstream has answered may end in that answer.
import { expect, it, onTestFinished } from "vitest";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Fault } from "../../src/demo/faults.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { storeGrants } from "../helpers/data-folder.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { startApp, temporaryFolder } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";

/** An address where nothing listens. */
const nowhere = async (): Promise<string> => `http://127.0.0.1:${await reservePort()}`;

/** `alan` is behind every account that is well; a session, so that the way back to a sick account is tempting. */
const start = async (sick: Readonly<Record<string, { readonly person: string; readonly more?: object }>>) => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const dir = temporaryFolder();
  const well = Object.keys(sick).map((id) => [`well-${id}`, { grant: upstream.issueTokens({ account: "alan" }) }] as const);
  const ill = Object.entries(sick).map(([id, { person, more = {} }]) => [id, { grant: upstream.issueTokens({ account: person }), more }] as const);
  storeGrants(dir, Object.fromEntries([...ill, ...well]));
  return startApp({ dir, shared: upstream, set: ["retry.delayMs=10"] });
};

const ask = async ({ listening, key }: RunningApp, session?: string): Promise<number> => {
  const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "Say something short." }] });
  const headers = { authorization: `Bearer ${key}`, ...(session === undefined ? {} : { "x-claude-code-session-id": session }) };
  const response = await fetch(`${listening.url}/v1/messages`, { method: "POST", body, headers });
  await response.text();
  return response.status;
};

const oneAfterTheOther = async (running: RunningApp, count: number): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let at = 0; at < count; at += 1) statuses.push(await ask(running));
  return statuses;
};

const always = (upstream: Upstream, account: string, fault: Fault): void => {
  upstream.script({ match: { path: "/v1/messages", account }, times: 1000, fault });
};

const executed = ({ upstream }: RunningApp): number => upstream.requests.filter(({ target, status }) => target === "/v1/messages" && status === 200).length;

it("one account refuses also new tokens, one is at its limit, one's server is gone: the other three serve (F8)", async () => {
  const running = await start({ denied: { person: "ada" }, full: { person: "grace" }, gone: { person: "alan", more: { endpoints: { base_url: await nowhere() } } } });
  always(running.upstream, "ada", { kind: "status", status: 401 });
  always(running.upstream, "grace", { kind: "plan-limit", window: "5h" });
  const first = await oneAfterTheOther(running, 6);
  expect(first.toSorted()).toEqual([200, 200, 200, 200, 401, 429]);
  expect(await oneAfterTheOther(running, 12)).toEqual(Array.from({ length: 12 }, () => 200));
  expect(executed(running)).toBe(16);
  const cooling = running.events.filter((event) => event.type === "account.cooling").map(({ accountId, reason }) => [accountId, reason]);
  expect(Object.fromEntries(cooling)).toEqual({
    denied: "the upstream refuses this account with a new token too (401)",
    full: "plan limit 5h reached",
    gone: "its server cannot be reached (ECONNREFUSED)",
  });
});

it("a hundred requests at once: none that had not been sent is lost, and no session goes back (F8)", async () => {
  const base_url = await nowhere();
  const running = await start({ one: { person: "ada", more: { endpoints: { base_url } } }, two: { person: "grace", more: { endpoints: { base_url } } } });
  const sessions = Array.from({ length: 100 }, (_, at) => `session-${at}`);
  expect(new Set(await Promise.all(sessions.map((session) => ask(running, session))))).toEqual(new Set([200]));
  expect(executed(running)).toBe(100);
  const before = running.events.filter(({ type }) => type === "attempt.failed").length;
  expect(new Set(await Promise.all(sessions.map((session) => ask(running, session))))).toEqual(new Set([200]));
  expect(running.events.filter(({ type }) => type === "attempt.failed")).toHaveLength(before);
});

it("a refresh that is refused for good takes the account out: its first request gets the 401, no other (F8)", async () => {
  const running = await start({ ended: { person: "ada" } });
  always(running.upstream, "ada", { kind: "status", status: 401 });
  running.upstream.script({ match: { grant: "refresh_token" }, times: 1000, fault: { kind: "status", status: 400, body: { error: "invalid_grant" } } });
  expect((await oneAfterTheOther(running, 10)).filter((status) => status !== 200)).toEqual([401]);
  expect(await running.event("account.needs-login")).toMatchObject({ accountId: "ended" });
});

it("the network itself is gone: no account is blamed for it", async () => {
  const running = await start({ any: { person: "ada" } });
  await running.upstream.close();
  const answer = await ask(running);
  expect([answer, running.events.filter(({ type }) => type === "account.cooling")]).toEqual([502, []]);
});
