// The memory of a busy proxy, in a real process: V8 offers no way to see it from outside of one.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const told = async <T>(fixture: string, ...args: string[]): Promise<T> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, `../fixtures/${fixture}.ts`), ...args]);
  return JSON.parse(stdout) as T;
};

type Young = { readonly first: number; readonly between: number; readonly second: number };

// Two programs at once compute for five seconds each, and for longer beside other work.
it("a burst does not blow up the youngest part of the heap, and after a rest the next burst gets as much again", { timeout: 60_000 }, async () => {
  const [free, bounded] = await Promise.all([told<Young>("young-generation"), told<Young>("young-generation", "bounded")]);
  expect(bounded.first).toBeLessThan(70);
  expect(free.first).toBeGreaterThan(bounded.first);
  expect(bounded.between).toBeLessThan(16);
  expect(bounded.second).toBeGreaterThanOrEqual(32);
  expect(bounded.second).toBeLessThan(70);
});

type Old = { readonly smallest: number; readonly largest: number };

it("garbage that is old is collected before it is as much as what is alive", { timeout: 60_000 }, async () => {
  const { smallest, largest } = await told<Old>("old-generation");
  // Without the bound V8 lets 57 MiB become 250.
  expect(largest).toBeLessThan(1.9 * smallest);
});
