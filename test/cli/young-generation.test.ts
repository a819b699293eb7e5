// The memory of a busy proxy, in a real process: V8 offers no way to see it from outside of one.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const largestMiB = async (...args: string[]): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "../fixtures/young-generation.ts"), ...args]);
  return Number(stdout);
};

it("a burst does not blow up the youngest part of the heap", async () => {
  const [free, bounded] = await Promise.all([largestMiB(), largestMiB("bounded")]);
  expect(bounded).toBeLessThan(70);
  expect(free).toBeGreaterThan(bounded);
});
