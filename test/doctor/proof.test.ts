// The proofs against the real proxy, and against proxies that are wrong on purpose.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApp } from "../../src/app/create-app.ts";
import { allProofs } from "../../src/doctor/doctor.ts";
import { proveAll } from "../../src/doctor/proof.ts";
import type { SandboxDeps } from "../../src/doctor/sandbox.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { alterations, unaltered } from "./altered.ts";

const realApp: SandboxDeps["createApp"] = (options) => createApp({ ...options, process });

const sandbox = (patienceMs: number, create = realApp): SandboxDeps => ({ clock: createSystemClock(), version: "0.0.0-test", patienceMs, createApp: create });

const noRoom: SandboxDeps["createApp"] = async () => {
  throw new Error("no room");
};

// A place of its own, because other tests run doctor at the same time.
let place = "";
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "proofs-"));
  vi.stubEnv("TMPDIR", place);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true, force: true });
});

describe("transparency", () => {
  it("every proof holds for the proxy as it is, with a figure, and nothing is left behind", async () => {
    const findings = await proveAll(allProofs, sandbox(10_000));
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual(allProofs.map(({ name }) => name));
    expect(findings.filter(({ found }) => !/\d/.test(found))).toEqual([]);
    expect(readdirSync(place)).toEqual([]);
  });

  it.each(unaltered)("every proof holds with a relay %s the proxy that changes nothing", async (_, create) => {
    const findings = await proveAll(allProofs, sandbox(10_000, create));
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it.each(alterations)("is disproved when %s", async (_, create, name) => {
    // The search for secrets needs a request to search.
    const played = allProofs.filter((proof) => proof.name === name || (name === "no secret crosses" && proof.name === "betas"));
    const findings = await proveAll(played, sandbox(1500, create));
    const finding = findings.find((one) => one.name === name);
    expect(finding).toMatchObject({ status: "problem", advice: expect.stringContaining("report") });
    expect(JSON.stringify(findings)).not.toMatch(/sk-ant-|cop_/);
  });

  it("every proof is disproved by at least one alteration", () => {
    expect(allProofs.map(({ name }) => name).filter((name) => !alterations.some(([, , disproved]) => disproved === name))).toEqual([]);
  });

  it("a proxy that cannot be started is one problem, not a crash", async () => {
    expect(await proveAll(allProofs, sandbox(1000, noRoom))).toMatchObject([{ name: "own proxy", status: "problem", found: "no room" }]);
  });
});
