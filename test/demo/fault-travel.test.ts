// Bending a plan is arithmetic on bytes: nothing may get lost or doubled on the way.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bentPlan } from "../../src/demo/fault-travel.ts";
import { planOf, type Plan } from "../../src/demo/plan.ts";

const plan = (events: readonly string[]): Plan => planOf({ status: 200, headers: [], body: { kind: "events", events } }, { chunkDelayMs: 5, fast: false });
const textOf = ({ pieces }: Plan): string => Buffer.concat(pieces.map(({ bytes }) => bytes)).toString("utf8");
const events = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 8 });
const offset = fc.integer({ min: -5, max: 60 });

describe("a bent plan", () => {
  it("keeps every byte when it only splits, slows or pauses", () => {
    fc.assert(
      fc.property(events, fc.array(offset), fc.integer({ min: 1, max: 9 }), offset, (texts, at, bytes, afterBytes) => {
        const whole = texts.join("");
        expect(textOf(bentPlan(plan(texts), [{ kind: "split", at }]))).toBe(whole);
        expect(textOf(bentPlan(plan(texts), [{ kind: "slow", bytes, delayMs: 1 }]))).toBe(whole);
        expect(textOf(bentPlan(plan(texts), [{ kind: "silence", afterBytes, ms: 1 }]))).toBe(whole);
      }),
    );
  });

  it("ends exactly at the byte that was asked for", () => {
    fc.assert(
      fc.property(events, fc.nat(60), (texts, afterBytes) => {
        const whole = Buffer.from(texts.join(""));
        const cut = bentPlan(plan(texts), [{ kind: "reset", afterBytes }]);
        expect(Buffer.concat(cut.pieces.map(({ bytes }) => bytes))).toEqual(whole.subarray(0, afterBytes));
        expect(cut.end).toBe("reset");
      }),
    );
  });

  it("splits at each offset, inside a character too", () => {
    const bent = bentPlan(plan(["aä\r\n"]), [{ kind: "split", at: [2, 4], delayMs: 7 }]);
    expect(bent.pieces).toEqual([
      { bytes: Buffer.from([0x61, 0xc3]), waitMs: 0 },
      { bytes: Buffer.from([0xa4, 0x0d]), waitMs: 7 },
      { bytes: Buffer.from([0x0a]), waitMs: 7 },
    ]);
  });

  it("pauses for ever where no time is given", () => {
    const bent = bentPlan(plan(["one", "two"]), [{ kind: "silence", afterBytes: 4 }]);
    expect(bent.pieces.map(({ bytes, waitMs }) => [bytes.toString(), waitMs])).toEqual([["one", 0], ["t", 5], ["wo", null]]);
    expect(bentPlan(plan(["one"]), [{ kind: "silence" }]).waitMs).toBeNull();
  });

  it("combines faults in their order", () => {
    const bent = bentPlan(plan(["abcdef"]), [{ kind: "split", at: [2] }, { kind: "truncated", afterBytes: 3 }, { kind: "early-hints" }]);
    expect([bent.pieces.map(({ bytes }) => bytes.toString()), bent.end, bent.interim.length]).toEqual([["ab", "c"], "close", 1]);
  });

  it.each([
    { kind: "reset", afterBytes: 4 },
    { kind: "truncated", afterBytes: 6 },
    { kind: "silence", afterBytes: 4 },
  ] as const)("lets $kind pass that would come when the client has the whole answer already", (fault) => {
    const whole = planOf({ status: 401, headers: [], body: { kind: "bytes", bytes: Buffer.from("four") } }, { chunkDelayMs: 0, fast: false });
    expect(bentPlan(whole, [fault])).toEqual(whole);
    expect(bentPlan(whole, [{ ...fault, afterBytes: 3 }])).not.toEqual(whole);
    const open = plan(["four"]);
    expect(bentPlan(open, [fault])).not.toEqual(open);
  });
});
