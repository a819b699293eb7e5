// The demo's traffic: a mix that shows everything, that says what it is, and that stops when asked to.
import { describe, expect, it } from "vitest";
import { createScenario } from "../../src/demo/scenario.ts";
import { bodyOf, rounds } from "../../src/demo/scenario.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { start } from "./kit.ts";

/** Pauses of the scenario take no time here; how long they were asked to be is kept. */
const hastyClock = (pauses: number[]): Clock => {
  const clock = createSystemClock();
  return {
    ...clock,
    setTimeout(callback, ms) {
      pauses.push(ms);
      return clock.setTimeout(callback, 0);
    },
  };
};

/** Talks to the upstream directly: what the proxy would add is added here. */
const direct = (upstream: Upstream, change: Partial<Parameters<typeof createScenario>[0]> = {}) => {
  const pauses: number[] = [];
  const scenario = createScenario({
    baseUrl: upstream.baseUrl,
    key: upstream.issueTokens().accessToken,
    clock: hastyClock(pauses),
    random: systemRandom,
    script: upstream.script,
    version: "9.9.9",
    fetch: (url, init) => fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), "anthropic-beta": "interleaved-thinking-2025-05-14,oauth-2025-04-20" } }),
    ...change,
  });
  return { scenario, pauses };
};

const headerOf = (rawHeaders: readonly string[], name: string): string | null => {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? null : (rawHeaders[at + 1] ?? null);
};

describe("the demo's traffic", () => {
  it("shows streams, counts, subagents, limits, overloads and a client that leaves", async () => {
    const upstream = await start();
    const { scenario } = direct(upstream);
    scenario.start();
    await upstream.waitFor(({ requests }) => requests.filter(({ finished }) => finished).length > rounds.flat().length, 10_000);
    await scenario.stop();
    const { requests } = upstream;
    expect(new Set(requests.map(({ status }) => status))).toEqual(new Set([200, 429, 529]));
    expect(requests.some(({ target }) => target.startsWith("/v1/messages/count_tokens"))).toBe(true);
    expect(requests.filter(({ aborted }) => aborted).length).toBeGreaterThan(0);
    expect(new Set(requests.map(({ rawHeaders }) => headerOf(rawHeaders, "x-claude-code-session-id"))).size).toBe(2);
    expect(new Set(requests.map(({ rawHeaders }) => headerOf(rawHeaders, "x-claude-code-agent-id"))).size).toBe(3);
  });

  it("never claims to be another client", async () => {
    const upstream = await start();
    const { scenario } = direct(upstream);
    scenario.start();
    await upstream.waitFor(({ requestsTotal }) => requestsTotal() >= 10);
    await scenario.stop();
    for (const { rawHeaders, body } of upstream.requests) {
      expect(headerOf(rawHeaders, "user-agent")).toBe("claude-oauth-proxy-demo/9.9.9");
      expect(headerOf(rawHeaders, "x-app")).toBeNull();
      expect(body.toString()).not.toMatch(/claude-cli|You are Claude Code/);
    }
  });

  it("never has more than two requests open, and pauses after each group", async () => {
    const upstream = await start();
    const { scenario, pauses } = direct(upstream);
    let most = 0;
    const counting = upstream.waitFor(({ openRequests, requestsTotal }) => {
      most = Math.max(most, openRequests());
      return requestsTotal() >= 20;
    });
    scenario.start();
    scenario.start();
    await counting;
    await scenario.stop();
    expect(most).toBe(2);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(600);
  });

  it("waits longer while no account is signed in", async () => {
    const upstream = await start();
    const { scenario, pauses } = direct(upstream, { key: null });
    scenario.start();
    await upstream.waitFor(() => pauses.length >= 3);
    await scenario.stop();
    expect(new Set(pauses)).toEqual(new Set([4000]));
  });

  it("stops at once in the middle of a stream, takes its faults back, and stays stopped", async () => {
    const upstream = await start({ chunkDelayMs: 60_000 });
    const { scenario } = direct(upstream);
    scenario.start();
    await upstream.waitFor(({ openStreams }) => openStreams() > 0);
    await scenario.stop();
    await upstream.waitFor(({ openRequests }) => openRequests() === 0);
    const total = upstream.requestsTotal();
    scenario.start();
    const headers = { "x-demo-effect": "overloaded" };
    expect((await fetch(`${upstream.baseUrl}/v1/models`, { headers })).status).toBe(401);
    expect(upstream.requestsTotal()).toBe(total + 1);
  });

  it("asks with bodies that the API accepts, growing and starting again", () => {
    const [step] = rounds.flat();
    if (step === undefined) throw new Error("no step");
    const lengths = [0, 1, 11, 12].map((turn) => (JSON.parse(bodyOf(step, turn)) as { messages: unknown[] }).messages.length);
    expect(lengths).toEqual([1, 3, 23, 1]);
  });
});
