// Changing a delivery is arithmetic on bytes: nothing may get lost or doubled on the way.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDeliveryFaults } from "../../src/demo/delivery-faults.ts";
import { deliveryOf, type Delivery } from "../../src/demo/delivery.ts";

const delivery = (events: readonly string[]): Delivery => deliveryOf({ status: 200, headers: [], body: { kind: "events", events } }, { chunkDelayMs: 5, fast: false });
const textOf = ({ pieces }: Delivery): string => Buffer.concat(pieces.map(({ bytes }) => bytes)).toString("utf8");
const events = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 8 });
const offset = fc.integer({ min: -5, max: 60 });

describe("a delivery with faults", () => {
  it("keeps every byte when it only splits, slows or pauses", () => {
    fc.assert(
      fc.property(events, fc.array(offset), fc.integer({ min: 1, max: 9 }), offset, (texts, at, bytes, afterBytes) => {
        const whole = texts.join("");
        expect(textOf(applyDeliveryFaults(delivery(texts), [{ kind: "split", at }]))).toBe(whole);
        expect(textOf(applyDeliveryFaults(delivery(texts), [{ kind: "slow", bytes, delayMs: 1 }]))).toBe(whole);
        expect(textOf(applyDeliveryFaults(delivery(texts), [{ kind: "silence", afterBytes, ms: 1 }]))).toBe(whole);
      }),
    );
  });

  it("ends exactly at the byte that was asked for", () => {
    fc.assert(
      fc.property(events, fc.nat(60), (texts, afterBytes) => {
        const whole = Buffer.from(texts.join(""));
        const cut = applyDeliveryFaults(delivery(texts), [{ kind: "reset", afterBytes }]);
        expect(Buffer.concat(cut.pieces.map(({ bytes }) => bytes))).toEqual(whole.subarray(0, afterBytes));
        expect(cut.end).toBe("reset");
      }),
    );
  });

  it("splits at each offset, inside a character too", () => {
    const changed = applyDeliveryFaults(delivery(["aä\r\n"]), [{ kind: "split", at: [2, 4], delayMs: 7 }]);
    expect(changed.pieces).toEqual([
      { bytes: Buffer.from([0x61, 0xc3]), waitMs: 0 },
      { bytes: Buffer.from([0xa4, 0x0d]), waitMs: 7 },
      { bytes: Buffer.from([0x0a]), waitMs: 7 },
    ]);
  });

  it("pauses for ever where no time is given", () => {
    const changed = applyDeliveryFaults(delivery(["one", "two"]), [{ kind: "silence", afterBytes: 4 }]);
    expect(changed.pieces.map(({ bytes, waitMs }) => [bytes.toString(), waitMs])).toEqual([["one", 0], ["t", 5], ["wo", null]]);
    expect(applyDeliveryFaults(delivery(["one"]), [{ kind: "silence" }]).waitMs).toBeNull();
  });

  it("combines faults in their order", () => {
    const changed = applyDeliveryFaults(delivery(["abcdef"]), [{ kind: "split", at: [2] }, { kind: "truncated", afterBytes: 3 }, { kind: "early-hints" }]);
    expect([changed.pieces.map(({ bytes }) => bytes.toString()), changed.end, changed.interim.length]).toEqual([["ab", "c"], "close", 1]);
  });

  it.each([
    { kind: "reset", afterBytes: 4 },
    { kind: "truncated", afterBytes: 6 },
    { kind: "silence", afterBytes: 4 },
  ] as const)("lets $kind pass that would come when the client has the whole answer already", (fault) => {
    const whole = deliveryOf({ status: 401, headers: [], body: { kind: "bytes", bytes: Buffer.from("four") } }, { chunkDelayMs: 0, fast: false });
    expect(applyDeliveryFaults(whole, [fault])).toEqual(whole);
    expect(applyDeliveryFaults(whole, [{ ...fault, afterBytes: 3 }])).not.toEqual(whole);
    const open = delivery(["four"]);
    expect(applyDeliveryFaults(open, [fault])).not.toEqual(open);
  });
});
