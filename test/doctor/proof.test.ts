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
import { alterations } from "./altered.ts";
import type { MakeForwarder } from "./altered.ts";

const sandbox = (patienceMs: number, createForwarder?: MakeForwarder): SandboxDeps => ({
  clock: createSystemClock(),
  version: "0.0.0-test",
  patienceMs,
  createApp: (wish) => createApp({ ...wish, process, ...(createForwarder === undefined ? {} : { createForwarder }) }),
});

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

  it.each(alterations)("is disproved when %s", async (_, createForwarder, name) => {
    const findings = await proveAll(allProofs.filter((proof) => proof.name === name || (name === "no secret crosses" && proof.name === "betas")), sandbox(1500, createForwarder));
    const finding = findings.find((one) => one.name === name);
    expect(finding).toMatchObject({ status: "problem", advice: expect.stringContaining("report") });
    expect(JSON.stringify(findings)).not.toMatch(/sk-ant-|cop_/);
  });

  it("every proof is disproved by at least one alteration", () => {
    expect(allProofs.map(({ name }) => name).filter((name) => !alterations.some(([, , disproved]) => disproved === name))).toEqual([]);
  });

  it("a proxy that cannot be started is one problem, not a crash", async () => {
    expect(await proveAll(allProofs, { ...sandbox(1000), createApp: noRoom })).toMatchObject([{ name: "own proxy", status: "problem", found: "no room" }]);
  });
});
