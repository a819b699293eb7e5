import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Candidate, ChoiceOptions } from "../../src/accounts/choose-account.ts";
import { chooseAccount } from "../../src/accounts/choose-account.ts";
import type { AccountHealth } from "../../src/messages/events.ts";

const candidate = (id: string, change: Partial<Candidate> = {}): Candidate => ({ id, health: "healthy", priority: 0, usable: true, coolingUntil: null, ...change });
const wish = (change: Partial<ChoiceOptions> = {}): ChoiceOptions => ({ strategy: "round-robin", named: null, sticky: null, last: null, ...change });
const cooling = { health: "cooling" } as const;
const [a, b, c] = [candidate("a"), candidate("b"), candidate("c")];

describe("the account of a request", () => {
  it.each<[string, readonly Candidate[], Partial<ChoiceOptions>, ReturnType<typeof chooseAccount>]>([
    ["the only one", [a], { sticky: "a" }, { id: "a", reason: "only" }],
    ["the next one in turn", [c, a, b], { last: "a" }, { id: "b", reason: "round-robin" }],
    ["the first one after the last", [c, a, b], { last: "c" }, { id: "a", reason: "round-robin" }],
    ["the next one although the last is gone", [a, c], { last: "b" }, { id: "c", reason: "round-robin" }],
    ["the session's", [a, b, c], { sticky: "b", last: "b" }, { id: "b", reason: "sticky" }],
    ["another one when the session's cools", [a, candidate("b", { health: "cooling" }), c], { sticky: "b", last: "a" }, { id: "c", reason: "round-robin" }],
    ["the lowest priority number", [candidate("a", { priority: 2 }), candidate("b", { priority: 1 }), c], { strategy: "priority", last: "c" }, { id: "c", reason: "priority" }],
    ["in turn among the same priority", [a, b, candidate("c", { priority: 9 })], { strategy: "priority", last: "a" }, { id: "b", reason: "priority" }],
    ["the next priority when the first cools", [candidate("a", { priority: 2 }), candidate("b", { priority: 1, health: "limited" })], { strategy: "priority" }, { id: "a", reason: "priority" }],
    ["the named one even at its limit", [a, candidate("b", { health: "limited" })], { named: "b" }, { id: "b", reason: "named" }],
    ["none when the named one is disabled", [a, candidate("b", { health: "disabled" })], { named: "b" }, null],
    ["none when the named one has no credential", [a, candidate("b", { usable: false })], { named: "b" }, null],
    ["none of nobody", [], {}, null],
    ["none when all are off or without a credential", [candidate("a", { health: "disabled" }), candidate("b", { usable: false })], {}, null],
    ["least bad: the one that cools down first", [candidate("a", { ...cooling, coolingUntil: 9 }), candidate("b", { ...cooling, coolingUntil: 5 })], {}, { id: "b", reason: "least-bad" }],
    ["least bad: a throttle before a plan limit", [candidate("a", { health: "limited", coolingUntil: 1 }), candidate("b", { ...cooling, coolingUntil: 5 })], {}, { id: "b", reason: "least-bad" }],
    ["least bad: a living token that needs a sign-in before both", [candidate("a", { health: "cooling" }), candidate("b", { health: "needs-login" })], {}, { id: "b", reason: "least-bad" }],
    ["least bad: the session's among equals", [candidate("a", { health: "cooling" }), candidate("b", { health: "cooling" })], { sticky: "b" }, { id: "b", reason: "least-bad" }],
  ])("is %s", (_name, candidates, change, expected) => {
    expect(chooseAccount(candidates, wish(change))).toEqual(expected);
  });

  it("is never one that is disabled or unusable, and is always found when there is one", () => {
    const health = fc.constantFrom<AccountHealth>("healthy", "cooling", "limited", "disabled", "needs-login");
    const each = fc.record({ id: fc.constantFrom("a", "b", "c", "d"), health, priority: fc.integer(), usable: fc.boolean(), coolingUntil: fc.option(fc.integer()) });
    const wishes = fc.record({
      strategy: fc.constantFrom("round-robin" as const, "priority" as const),
      named: fc.constant(null),
      sticky: fc.option(fc.constantFrom("a", "z")),
      last: fc.option(fc.constantFrom("b", "z")),
    });
    fc.assert(fc.property(fc.uniqueArray(each, { selector: ({ id }) => id }), wishes, (candidates, asked) => {
      const able = candidates.filter((one) => one.usable && one.health !== "disabled");
      const picked = chooseAccount(candidates, asked);
      expect(picked !== null).toBe(able.length > 0);
      if (picked !== null) expect(able.map(({ id }) => id)).toContain(picked.id);
      if (able.some((one) => one.health === "healthy")) expect(able.find(({ id }) => id === picked?.id)?.health).toBe("healthy");
    }));
  });

  it("goes round evenly whatever the order of the list is", () => {
    fc.assert(fc.property(fc.shuffledSubarray(["a", "b", "c", "d", "e"], { minLength: 2 }), fc.integer({ min: 1, max: 50 }), (ids, rounds) => {
      const counts = new Map<string, number>();
      let last: string | null = null;
      for (let turn = 0; turn < rounds * ids.length; turn += 1) {
        last = chooseAccount(ids.map((id) => candidate(id)), wish({ last }))?.id ?? "";
        counts.set(last, (counts.get(last) ?? 0) + 1);
      }
      expect([...counts.values()]).toEqual(ids.map(() => rounds));
    }));
  });
});
