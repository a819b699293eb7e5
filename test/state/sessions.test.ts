import { describe, expect, it } from "vitest";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import { maxAgents, maxSessions } from "../../src/state/sessions.ts";
import type { Event } from "../../src/messages/events.ts";
import type { AppState, SessionRow } from "../../src/state/state.ts";
import { fact } from "./facts.ts";

const after = (events: readonly Event[]): AppState => reduceAll(initialState({ version: "1", mode: "oauth" }), events);
const firstAfter = (...events: readonly Event[]): SessionRow | undefined => after(events).sessions[0];
let next = 0;

/** A whole request of session s1; `read` of 20,000 input tokens came from the cache. */
const whole = (read: number, about: { agentId?: string; outcome?: "ok" | "failed"; total?: number; written?: number } = {}): readonly Event[] => {
  next += 1;
  const requestId = `w${next}`;
  const total = about.total ?? 20_000;
  return [
    fact("request.received", { requestId, sessionId: "s1", agentId: about.agentId ?? null, at: next }),
    fact("usage.updated", { requestId, inputTokens: total - read, cacheReadTokens: read, outputTokens: 100, cacheCreationTokens: about.written ?? 0 }),
    fact("request.finished", { requestId, outcome: about.outcome ?? "ok", at: next }),
  ];
};

describe("a session", () => {
  it("adds up its requests, errors and tokens", () => {
    const open = fact("request.received", { requestId: "open", sessionId: "s1" });
    expect(firstAfter(...whole(18_000, { written: 7 }), ...whole(0, { outcome: "failed" }), open)).toMatchObject({
      id: "s1", requests: 3, inFlight: 1, errors: 1, inputTokens: 22_000, cacheReadTokens: 18_000, cacheCreationTokens: 7, outputTokens: 200,
    });
  });

  it("keeps the cache share of its last ten answers", () => {
    const session = firstAfter(...Array.from({ length: 12 }, (_, index) => whole(index * 1000)).flat());
    expect(session?.cacheShares).toHaveLength(10);
    expect(session?.cacheShares.at(-1)).toBeCloseTo(0.55);
  });

  it("does not judge its cache by subagents, failures or prompts too small to be cached", () => {
    const session = firstAfter(...whole(18_000), ...whole(0, { agentId: "a1" }), ...whole(0, { outcome: "failed" }), ...whole(0, { total: 300 }));
    expect(session?.cacheShares).toEqual([0.9]);
  });

  it("lists its subagents with what they used", () => {
    const session = firstAfter(...whole(1000, { agentId: "a1" }), ...whole(1000, { agentId: "a1" }), ...whole(0, { agentId: "a2" }));
    expect(session?.agents).toEqual([
      { id: "a1", parentId: null, requests: 2, inputTokens: 40_000, outputTokens: 200 },
      { id: "a2", parentId: null, requests: 1, inputTokens: 20_000, outputTokens: 100 },
    ]);
  });

  it("remembers only the last fifty subagents", () => {
    expect(firstAfter(...Array.from({ length: 60 }, (_, index) => whole(0, { agentId: `a${index}` })).flat())?.agents).toHaveLength(maxAgents);
  });

  it("does not exist for a client that names none", () => {
    expect(after([fact("request.received")]).sessions).toEqual([]);
  });
});

const one = (id: string, closed = true): readonly Event[] => [fact("request.received", { requestId: id, sessionId: id }), ...(closed ? [fact("request.finished", { requestId: id })] : [])];

describe("the sessions", () => {
  it("stand with the one seen last first", () => {
    expect(after([...one("a"), ...one("b"), fact("request.received", { requestId: "again", sessionId: "a" })]).sessions.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("are at most two hundred, and one with an open request stays", () => {
    const { sessions } = after([...one("open", false), ...Array.from({ length: maxSessions + 20 }, (_, index) => one(`s${index}`)).flat()]);
    expect(sessions).toHaveLength(maxSessions);
    expect(sessions.at(-1)?.id).toBe("open");
  });
});
