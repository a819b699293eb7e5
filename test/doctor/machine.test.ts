// The real machine is asked, and nothing is changed on it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readMachine } from "../../src/doctor/machine.ts";
import { fakeContext } from "../cli/fake-context.ts";

const folderWith = (name: string, text: string, mode: number): string => {
  const folder = mkdtempSync(join(tmpdir(), "machine-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
  return folder;
};

it("finds programs on the PATH of the given environment, and reads files", async () => {
  const folder = folderWith("xclip", "", 0o755);
  const machine = await readMachine(fakeContext({ environment: { PATH: `/no-such-folder:${folder}` } }));
  expect([await machine.hasProgram("xclip"), await machine.hasProgram("xsel")]).toEqual([true, false]);
  expect([await machine.readText(join(folder, "xclip")), await machine.readText("/no/such/file")]).toEqual(["", null]);
  expect(machine).toMatchObject({ node: process.versions.node, tmux: null, size: null });
  expect(machine.installedAt).toBeLessThanOrEqual(Date.now());
});

it("a tmux that does not answer is known by that", async () => {
  const machine = await readMachine(fakeContext({ environment: { TMUX: "/no/socket,1,0" } }));
  expect(machine.tmux).toMatchObject({ setClipboard: expect.toSatisfy((value) => value === null || typeof value === "string") });
});
