// The lock between real processes: many takers, killed holders, stopped holders.
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createFileLock } from "../../src/storage/file-lock.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { realProcesses, runFixture, temporaryFolder } from "./kit.ts";

const lockIn = (dir: string) =>
  createFileLock(join(dir, "lock"), { clock: createSystemClock(), files: systemFiles, random: systemRandom, processes: realProcesses }, {
    heartbeatMs: 50, hungMs: 1_000, confirmMs: 300, futureMs: 5_000,
  });

describe("a lock between processes", { timeout: 60_000 }, () => {
  it("is taken over from killed holders by one taker at a time, without a wait (A13)", async () => {
    const dir = temporaryFolder();
    const dying = Array.from({ length: 5 }, (_, index) => runFixture("lock-contend", dir, 10 + index, "die").ended);
    const living = Array.from({ length: 5 }, () => runFixture("lock-contend", dir, 25).ended);
    expect((await Promise.all(dying)).map(({ signal }) => signal)).toEqual(dying.map(() => "SIGKILL"));
    expect((await Promise.all(living)).map(({ lines }) => lines)).toEqual(living.map(() => ["done"]));
    (await lockIn(dir).acquire({ timeoutMs: 0 })).release();
    expect(readdirSync(join(dir, "lock")).length).toBeLessThanOrEqual(3);
  });

  it("is not taken from a live holder, however long it holds", async () => {
    const dir = temporaryFolder();
    const held = await lockIn(dir).acquire({ timeoutMs: 0 });
    // Twice the age at which a holder without a heartbeat counts as hung.
    expect((await runFixture("lock-contend", dir, 1, "", 2_000).ended).lines).toEqual(["store-locked"]);
    expect(held.stillMine()).toBe(true);
    held.release();
    expect((await runFixture("lock-contend", dir, 1).ended).lines).toEqual(["done"]);
  });

  it("is taken from a stopped holder, which finds out when it runs again", async () => {
    const dir = temporaryFolder();
    const stopped = runFixture("lock-contend", dir, 1, "stop");
    expect(await stopped.line()).toBe("holding free");
    const taken = await lockIn(dir).acquire({ timeoutMs: 10_000 });
    expect(taken.waitedFor).toBe(stopped.pid);
    stopped.child.kill("SIGCONT");
    expect(await stopped.line()).toBe("mine false");
    expect((await stopped.ended).code).toBe(0);
    expect(taken.stillMine()).toBe(true);
    taken.release();
  });

  it("is taken when the clock stepped back four hours and the holder does not move (A12)", async () => {
    const dir = temporaryFolder();
    const stopped = runFixture("lock-contend", dir, 1, "stop");
    await stopped.line();
    const future = new Date(Date.now() + 4 * 3_600_000);
    utimesSync(join(dir, "lock", "1"), future, future);
    const taken = await lockIn(dir).acquire({ timeoutMs: 5_000 });
    expect(taken.stillMine()).toBe(true);
    taken.release();
  });
});
