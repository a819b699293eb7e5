// A data folder that cannot be written any more, under the real program. Root is not stopped by modes, so
// the folder is mounted read-only over itself.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import { releaseLater, temporaryFolder } from "../helpers/leftovers.ts";

const mount = (...args: readonly string[]): boolean => spawnSync("mount", args).status === 0;
const unmount = (folder: string): void => void spawnSync("umount", [folder]);

/** Makes `folder` read-only; gives the way back, null where mounting is not allowed. */
const makeReadOnly = (folder: string): (() => void) | null => {
  if (!mount("--bind", folder, folder)) return null;
  if (mount("-o", "remount,bind,ro", folder)) return () => unmount(folder);
  unmount(folder);
  return null;
};

const canMount = ((): boolean => {
  const probe = makeReadOnly(temporaryFolder());
  probe?.();
  return probe !== null;
})();

it.skipIf(!canMount)("it starts and serves with the token that lives, spends none, tells why, and refreshes once it can write (needs the right to mount) (D8)", async () => {
  const folder = await createDataFolder();
  storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens(), expiresAt: Date.now() + 200_000 } });
  const before = readFileSync(join(folder.dir, "accounts.json"), "utf8");
  const first = folder.program(["print-key"]);
  expect((await first.waitForExit()).code).toBe(0);
  const release = makeReadOnly(folder.dir);
  releaseLater(() => release?.());
  const proxy = await folder.proxy({ set: ["oauth.sweepSeconds=1"] });
  expect((await proxy.ask()).status).toBe(200);
  expect(await proxy.waitForEvent("token.refresh-failed")).toMatchObject({ errorCode: "store-unwritable", message: expect.stringContaining("read-only") });
  expect(folder.upstream.tokenCalls().refresh_token).toBe(0);
  expect(readFileSync(join(folder.dir, "accounts.json"), "utf8")).toBe(before);
  release?.();
  const refresh = folder.program(["refresh"]);
  expect((await refresh.waitForExit()).code).toBe(0);
  await proxy.waitForEvent("token.adopted");
  expect([(await proxy.ask()).status, folder.upstream.tokenCalls().refresh_token]).toEqual([200, 1]);
});
