// The memory of a busy proxy, in a real process: V8 offers no way to see it from outside of one.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

type Sizes = { readonly first: number; readonly between: number; readonly second: number };

const sizesMiB = async (...args: string[]): Promise<Sizes> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "../fixtures/young-generation.ts"), ...args]);
  return JSON.parse(stdout) as Sizes;
};

// Two programs at once compute for five seconds each, and for longer beside other work.
it("a burst does not blow up the youngest part of the heap, and after a rest the next burst gets as much again", { timeout: 60_000 }, async () => {
  const [free, bounded] = await Promise.all([sizesMiB(), sizesMiB("bounded")]);
  expect(bounded.first).toBeLessThan(70);
  expect(free.first).toBeGreaterThan(bounded.first);
  expect(bounded.between).toBeLessThan(16);
  expect(bounded.second).toBeGreaterThanOrEqual(32);
  expect(bounded.second).toBeLessThan(70);
});
