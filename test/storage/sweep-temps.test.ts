import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemFiles } from "../../src/storage/files.ts";
import { sweepTemps } from "../../src/storage/sweep-temps.ts";
import { realProcesses, temporaryFolder } from "./kit.ts";

const deps = { files: systemFiles, processes: realProcesses, now: () => Date.now() };
const deadPid = 4_194_304;

it("D9 leftovers of dead processes are removed, those of live ones and everything else are kept", () => {
  const dir = temporaryFolder();
  const keep = [`accounts.json.${process.ppid}.0123456789ab.tmp`, "accounts.json", "accounts.json.bak", "notes.tmp", `x.${deadPid}.short.tmp`];
  for (const name of [...keep, `accounts.json.${deadPid}.0123456789ab.tmp`]) writeFileSync(join(dir, name), "secret");
  expect(sweepTemps(dir, deps)).toEqual([`accounts.json.${deadPid}.0123456789ab.tmp`]);
  expect(readdirSync(dir).sort()).toEqual([...keep].sort());
});

it("one with our own pid is a predecessor's when it is old (in a container every start has the same pid)", () => {
  const dir = temporaryFolder();
  const path = join(dir, `key.${process.pid}.0123456789ab.tmp`);
  writeFileSync(path, "secret");
  sweepTemps(dir, deps);
  expect(existsSync(path)).toBe(true);
  const old = Date.now() / 1000 - 61;
  utimesSync(path, old, old);
  sweepTemps(dir, deps);
  expect(existsSync(path)).toBe(false);
});

it("a folder that is not there is nothing to sweep", () => {
  expect(sweepTemps(join(temporaryFolder(), "nowhere"), deps)).toEqual([]);
});
