// Who is there: against a plain Set, in any order of coming and going.
import { array, assert, boolean, nat, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { createRoster } from "../../src/lib/roster.ts";
import type { Placed } from "../../src/lib/roster.ts";

const people = (count: number): Placed[] => Array.from({ length: count }, () => ({ place: -1 }));

const present = (roster: ReturnType<typeof createRoster>): Set<Placed> => {
  const seen = new Set<Placed>();
  roster.each((member) => seen.add(member));
  return seen;
};

describe("a roster", () => {
  it("holds whom a set would hold, whatever the order of coming and going", () => {
    assert(
      property(array(tuple(boolean(), nat(9))), (steps) => {
        const members = people(10);
        const roster = createRoster();
        const model = new Set<Placed>();
        for (const [comes, index] of steps) {
          const member = members[index] as Placed;
          if (comes) roster.add(member);
          else roster.remove(member);
          if (comes) model.add(member);
          else model.delete(member);
          expect(roster.size()).toBe(model.size);
        }
        expect(present(roster)).toEqual(model);
      }),
    );
  });

  it("visits everyone although each leaves while it is visited, and others with it", () => {
    for (let leaver = 0; leaver < 6; leaver += 1) {
      const members = people(6);
      const roster = createRoster();
      for (const member of members) roster.add(member);
      const seen = new Set<Placed>();
      roster.each((member) => {
        seen.add(member);
        roster.remove(members[leaver] as Placed);
        roster.remove(member);
      });
      expect(members.filter((member, index) => index !== leaver && !seen.has(member))).toEqual([]);
      expect(roster.size()).toBe(0);
    }
  });

  it("takes nobody twice and lets nobody go who is on another one", () => {
    const [one, other] = people(2) as [Placed, Placed];
    const [mine, theirs] = [createRoster(), createRoster()];
    mine.add(one);
    mine.add(one);
    theirs.add(other);
    mine.remove(other);
    expect([mine.size(), theirs.size()]).toEqual([1, 1]);
  });
});
