import { array, assert, asyncProperty, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Burst } from "../../../src/tui/login/paste.ts";
import { createBurstJoiner } from "../../../src/tui/login/paste.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const setUp = () => {
  const clock = createFakeClock();
  const bursts: Burst[] = [];
  return { clock, bursts, joiner: createBurstJoiner(clock, (burst) => bursts.push(burst)) };
};

describe("pieces of input", () => {
  it("that come less than 60 ms apart are one burst, however they were cut", async () => {
    await assert(
      asyncProperty(array(string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 20 }), async (pieces) => {
        const { clock, bursts, joiner } = setUp();
        for (const piece of pieces) {
          joiner.push(piece);
          await clock.advance(59);
        }
        await clock.advance(1);
        const text = pieces.join("");
        expect(bursts).toEqual([{ text, pasted: text.length >= 8 }]);
      }),
    );
  });

  it("that come 60 ms apart are two, and a few letters are typing, not a paste", async () => {
    const { clock, bursts, joiner } = setUp();
    joiner.push("abc");
    await clock.advance(60);
    joiner.push("defghijk");
    await clock.advance(60);
    expect(bursts).toEqual([{ text: "abc", pasted: false }, { text: "defghijk", pasted: true }]);
  });

  it("a bracketed paste does not wait and takes what was held before it along", async () => {
    const { clock, bursts, joiner } = setUp();
    joiner.push("a");
    joiner.paste("b");
    await clock.advance(100);
    expect([bursts, clock.pendingTimers()]).toEqual([[{ text: "ab", pasted: true }], 0]);
  });

  it("keeps no more than a megabyte, and nothing once it was dropped", async () => {
    const { clock, bursts, joiner } = setUp();
    for (let piece = 0; piece < 40; piece += 1) joiner.push("x".repeat(65_536));
    joiner.flush();
    expect(bursts[0]?.text.length).toBeLessThanOrEqual(1_048_576 + 65_536);
    joiner.push("forget me");
    joiner.drop();
    await clock.advance(100);
    expect([bursts.length, clock.pendingTimers()]).toEqual([1, 0]);
  });
});
