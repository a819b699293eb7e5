// The lock in one process, with a clock that the test moves and holders that are made up.
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { createFileLock, createHungWatch, lockTiming } from "../../src/storage/file-lock.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files } from "../../src/storage/files.ts";
import { formatClaim } from "../../src/storage/lock-tickets.ts";
import type { ProcessMark } from "../../src/storage/processes.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { secondUser } from "../helpers/second-user.ts";
import { filesWith, realProcesses, systemError, temporaryFolder } from "./kit.ts";

const setUp = (files: Files = systemFiles) => {
  const clock = createFakeClock();
  const folder = join(temporaryFolder(), "lock");
  const lockFor = () => createFileLock(folder, { clock, files, random: systemRandom, processes: realProcesses });
  return { clock, folder, lock: lockFor(), lockFor };
};

/** A claim as another process would have left it there. */
const plant = (folder: string, mark: Partial<ProcessMark>, touchedAt: number): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "7"), formatClaim({ ...realProcesses.self, ...mark }, "00"));
  utimesSync(join(folder, "7"), touchedAt / 1000, touchedAt / 1000);
};

const foreign = { host: "another-machine", pid: 1 };

/** Moves the clock in small steps until the promise is settled or `ms` are over. */
const settledWithin = async (clock: ReturnType<typeof createFakeClock>, promise: Promise<unknown>, ms: number): Promise<boolean> => {
  const seen = { settled: false };
  const settle = (): void => void (seen.settled = true);
  promise.then(settle, settle);
  for (let passed = 0; passed < ms && !seen.settled; passed += 50) await clock.advance(50);
  return seen.settled;
};

describe("a free lock", () => {
  it("is taken at once, is ours, and is free again after release", async () => {
    const { lock, lockFor } = setUp();
    const held = await lock.acquire({ timeoutMs: 0 });
    expect([held.waitedFor, held.stillMine()]).toEqual([null, true]);
    await expect(lockFor().acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-locked", message: expect.stringContaining(String(process.pid)) });
    held.release();
    held.release();
    expect(held.stillMine()).toBe(false);
    expect((await lockFor().acquire({ timeoutMs: 0 })).stillMine()).toBe(true);
  });

  it("leaves no timer, no draft and at most three small files behind", async () => {
    const { lock, clock, folder } = setUp();
    for (let round = 0; round < 20; round += 1) (await lock.acquire({ timeoutMs: 0 })).release();
    lock.prepare()();
    expect(clock.pendingTimers()).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["18", "19", "20"]);
  });

  it("names the process that was waited for", async () => {
    const { lock, lockFor, clock } = setUp();
    const first = await lock.acquire({ timeoutMs: 0 });
    const second = lockFor().acquire({ timeoutMs: 1_000 });
    first.release();
    await clock.advance(100);
    expect((await second).waitedFor).toBe(process.pid);
  });
});

describe("a lock left by a dead process", () => {
  const { self } = realProcesses;
  it.each([
    ["whose pid is gone", { pid: 4_194_304 }],
    ["from before a reboot", { bootId: "another-boot" }],
    ["whose pid belongs to another process now", { startTime: "1" }],
  ])("%s is taken at once", async (_, mark) => {
    const { lock, folder, clock } = setUp();
    plant(folder, mark, clock.now());
    expect((await lock.acquire({ timeoutMs: 0 })).stillMine()).toBe(true);
  });

  it.each([
    ["a live one", { pid: self.pid }],
    ["one on another machine, whatever its pid", foreign],
    ["one in another container, whatever its pid", { pid: 4_194_304, space: "pid:[1]" }],
  ])("is not seen in %s", async (_, mark) => {
    const { lock, folder, clock } = setUp();
    plant(folder, mark, clock.now());
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-locked" });
  });
});

describe("a lock whose holder gives no sign of life", () => {
  it("is taken after twenty seconds of watching", async () => {
    const { lock, folder, clock } = setUp();
    plant(folder, foreign, clock.now());
    const taken = lock.acquire({ timeoutMs: 60_000 });
    expect(await settledWithin(clock, taken, 19_500)).toBe(false);
    expect(await settledWithin(clock, taken, 1_500)).toBe(true);
  });

  it.each([["four hours in the future (A12)", 4 * 3_600_000], ["ten hours old", -10 * 3_600_000]])(
    "%s, is taken after three seconds, because a live holder would have touched it",
    async (_, offset) => {
      const { lock, folder, clock } = setUp();
      plant(folder, foreign, clock.now() + offset);
      const taken = lock.acquire({ timeoutMs: 60_000 });
      expect(await settledWithin(clock, taken, 2_500)).toBe(false);
      expect(await settledWithin(clock, taken, 1_500)).toBe(true);
    },
  );

  it("is kept as long as its heartbeat goes on, even when the wall clock jumps", async () => {
    const { lock, lockFor, clock } = setUp();
    const held = await lock.acquire({ timeoutMs: 0 });
    const waiting = lockFor().acquire({ timeoutMs: 3_600_000 });
    for (const jump of [-86_400_000, 86_400_000, -14_400_000, 36_000_000]) {
      clock.jump(jump);
      expect(await settledWithin(clock, waiting, 30_000)).toBe(false);
    }
    expect(held.stillMine()).toBe(true);
    held.release();
    expect(await settledWithin(clock, waiting, 1_000)).toBe(true);
  });

  it("is taken when what it left is no claim at all (a power cut)", async () => {
    const { lock, folder, clock } = setUp();
    plant(folder, foreign, clock.now());
    writeFileSync(join(folder, "8"), "");
    utimesSync(join(folder, "8"), clock.now() / 1000, clock.now() / 1000);
    const taken = lock.acquire({ timeoutMs: 60_000 });
    expect(await settledWithin(clock, taken, 21_500)).toBe(true);
    expect((await taken).stillMine()).toBe(true);
  });
});

describe("waiting", () => {
  it("ends on abort, leaves nothing behind and says so", async () => {
    const { lock, folder, clock } = setUp();
    plant(folder, foreign, clock.now());
    const stop = new AbortController();
    const waiting = lock.acquire({ timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "store-locked", message: expect.stringContaining("stopped waiting") });
    expect([clock.pendingTimers(), readdirSync(folder)]).toEqual([0, ["7"]]);
  });

  it("ends at the deadline with the holder's pid and a next step", async () => {
    const { lock, folder, clock } = setUp();
    plant(folder, foreign, clock.now());
    const waiting = lock.acquire({ timeoutMs: 5_000 });
    const refusal = expect(waiting).rejects.toMatchObject({ code: "store-locked", message: expect.stringContaining("process 1"), hint: expect.stringContaining("within a minute") });
    expect(await settledWithin(clock, waiting, 6_000)).toBe(true);
    await refusal;
  });
});

describe("a holder", () => {
  it("whose folder is removed finds out, and neither timer nor release throws", async () => {
    const { lock, folder, clock } = setUp();
    const held = await lock.acquire({ timeoutMs: 0 });
    rmSync(folder, { recursive: true });
    await clock.advance(10_000);
    expect(held.stillMine()).toBe(false);
    held.release();
  });

  it("whose every call of the file system fails neither throws nor believes that it holds", async () => {
    let failing = false;
    const { lock, clock } = setUp(filesWith(() => { if (failing) throw systemError("EIO"); }));
    const held = await lock.acquire({ timeoutMs: 0 });
    failing = true;
    await clock.advance(10_000);
    expect(held.stillMine()).toBe(false);
    held.release();
  });

  it("whose claim was prepared long before is as fresh as any other", async () => {
    const { lock, folder, clock } = setUp();
    lock.prepare();
    await clock.advance(600_000);
    const held = await lock.acquire({ timeoutMs: 0 });
    expect(statSync(join(folder, "1")).mtimeMs).toBe(clock.now());
    held.release();
  });

  it("that was taken over leaves its successor's claim alone", async () => {
    const { lock, folder } = setUp();
    const held = await lock.acquire({ timeoutMs: 0 });
    const successor = formatClaim({ ...realProcesses.self, ...foreign }, "11");
    writeFileSync(join(folder, "2"), successor);
    expect(held.stillMine()).toBe(false);
    held.release();
    expect(readFileSync(join(folder, "2"), "utf8")).toBe(successor);
  });
});

describe("a late process", () => {
  it("that looks at a number which is superseded and removed meanwhile looks again", async () => {
    const { lock, folder, clock } = setUp(filesWith(({ name, args }) => {
      if (name !== "openSync" || args[0] !== join(folder, "7")) return;
      rmSync(join(folder, "7"));
      writeFileSync(join(folder, "8"), formatClaim({ ...realProcesses.self, pid: 4_194_304 }, "22"));
    }));
    plant(folder, { pid: 4_194_304 }, clock.now());
    (await lock.acquire({ timeoutMs: 0 })).release();
    expect(readdirSync(folder).sort()).toEqual(["8", "9"]);
  });

  it("that creates a number which was used and removed meanwhile sees the higher one and steps back", async () => {
    let late = true;
    const { lock, folder, clock } = setUp(filesWith(({ name, args }) => {
      if (name !== "linkSync" || !late) return;
      late = false;
      rmSync(join(String(args[1]), "..", "7"));
      writeFileSync(join(String(args[1]), "..", "12"), formatClaim({ ...realProcesses.self, ...foreign }, "22"));
    }));
    plant(folder, { pid: 4_194_304 }, clock.now());
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-locked" });
    expect(readdirSync(folder)).toEqual(["12"]);
  });
});

describe("a folder", () => {
  it("without hard links works all the same", async () => {
    const { lock, lockFor, folder } = setUp(filesWith(({ name }) => { if (name === "linkSync") throw systemError("EPERM"); }));
    const held = await lock.acquire({ timeoutMs: 0 });
    expect(held.stillMine()).toBe(true);
    await expect(lockFor().acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-locked" });
    held.release();
    (await lockFor().acquire({ timeoutMs: 0 })).release();
    expect(readdirSync(folder).sort()).toEqual(["1", "2"]);
  });

  it("that another container sweeps, which cannot see our pid, gives the lock all the same", async () => {
    const swept: string[] = [];
    const { lock, lockFor, folder } = setUp(filesWith(({ name, args }) => {
      if (name !== "linkSync") return;
      swept.push(String(args[0]));
      rmSync(String(args[0]));
    }));
    const held = await lock.acquire({ timeoutMs: 0 });
    expect([held.stillMine(), swept.length, readdirSync(folder)]).toEqual([true, 1, ["1"]]);
    await expect(lockFor().acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-locked" });
    held.release();
    expect((await lockFor().acquire({ timeoutMs: 0 })).stillMine()).toBe(true);
  });

  it.each(["EROFS", "EACCES", "ENOSPC"])("that takes no files (%s) is a clear error that names it", async (code) => {
    const { lock, folder } = setUp(filesWith(({ name, args }) => { if (name === "openSync" && args[1] === "wx") throw systemError(code); }));
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-unwritable", message: expect.stringContaining(folder) });
  });

  it("that is full takes a claim that was prepared before", async () => {
    let full = false;
    const { lock } = setUp(filesWith(({ name, args }) => { if (full && name === "openSync" && args[1] === "wx") throw systemError("ENOSPC"); }));
    lock.prepare();
    full = true;
    (await lock.acquire({ timeoutMs: 0 })).release();
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "store-unwritable" });
  });
});

const watching = () => {
  const clock = createFakeClock();
  const watch = createHungWatch(clock, lockTiming);
  /** Looks every 100 ms for `ms`; true as soon as the holder counts as hung. */
  const looks = async (ms: number, touchedAt: () => number): Promise<boolean> => {
    for (let passed = 0; passed <= ms; passed += 100) {
      if (watch({ token: "t", touchedAt: touchedAt() })) return true;
      await clock.advance(100);
    }
    return false;
  };
  return { clock, watch, looks };
};

const refusal = (path: string, reason: string) => expect.objectContaining({ code: "store-unreadable", message: `${path} is not used: ${reason}` });

describe("what another user has planted", () => {
  it.each<[string, (path: string) => void, string]>([
    ["a pipe, which is not waited for", (path) => execFileSync("mkfifo", [path]), "it is not a regular file"],
    ["a link to nothing", (path) => symlinkSync(`${path}.nowhere`, path), "it is a symbolic link to a file that does not exist"],
    ["a file of more than 16 MiB", (path) => (writeFileSync(path, ""), truncateSync(path, 16 * 1024 ** 2 + 1)), "it is larger than 16 MiB"],
  ])("as the ticket that counts is refused by its name: %s", async (_, put, reason) => {
    const { lock, folder } = setUp();
    mkdirSync(folder);
    put(join(folder, "999999999999999"));
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toThrow(refusal(join(folder, "999999999999999"), reason));
  });

  it("as the folder of the lock is refused when it is a link, and nothing is made behind it", async () => {
    const { lock, folder } = setUp();
    const elsewhere = temporaryFolder();
    symlinkSync(elsewhere, folder);
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toThrow(refusal(folder, "it is not a folder"));
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it.skipIf(secondUser === null)("as the folder of the lock or as a ticket in it is refused by its owner (needs root, to act as a second user)", async () => {
    const { lock, folder } = setUp();
    mkdirSync(folder);
    writeFileSync(join(folder, "7"), formatClaim(realProcesses.self, "00"));
    for (const path of [join(folder, "7"), folder]) {
      chownSync(path, secondUser ?? 0, -1);
      await expect(lock.acquire({ timeoutMs: 0 })).rejects.toThrow(refusal(path, `it belongs to another user (uid ${secondUser})`));
    }
  });
});

describe("watching the heartbeat of a holder", () => {
  it("a laptop that slept ten hours with the holder does not take its lock", async () => {
    const { clock, looks } = watching();
    const before = clock.now();
    expect(await looks(1_000, () => before)).toBe(false);
    // Both clocks may have gone on meanwhile, depending on the system.
    clock.jump(36_000_000);
    await clock.advance(36_000_000);
    expect(await looks(0, () => before)).toBe(false);
    const beats = { last: clock.now() };
    expect(await looks(30_000, () => (beats.last = clock.now()))).toBe(false);
  });

  it("a holder that dates itself a little ahead is watched for the whole time", async () => {
    const { clock, looks } = watching();
    const ahead = clock.now() + 4_000;
    expect(await looks(19_000, () => ahead)).toBe(false);
    expect(await looks(1_500, () => ahead)).toBe(true);
  });

  it("a new claim starts the watch anew", async () => {
    const { clock, watch, looks } = watching();
    const old = clock.now();
    expect(await looks(19_000, () => old)).toBe(false);
    expect(watch({ token: "another", touchedAt: old })).toBe(false);
  });
});
