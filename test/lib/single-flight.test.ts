import { describe, expect, it } from "vitest";
import { createSingleFlight } from "../../src/lib/single-flight.ts";

describe("one piece of work per key", () => {
  it("is shared by everybody who comes while it runs", async () => {
    const flight = createSingleFlight<number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      return runs;
    };
    expect(await Promise.all([flight("a", work), flight("a", work), flight("b", work)])).toEqual([1, 1, 2]);
  });

  it("starts anew once it has ended, also after a failure", async () => {
    const flight = createSingleFlight<string>();
    await expect(flight("a", () => Promise.reject(new Error("first")))).rejects.toThrow("first");
    expect(await flight("a", () => Promise.resolve("second"))).toBe("second");
  });
});
