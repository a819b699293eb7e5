// The README's programs, taken out of it, checked by the compiler and run as they stand against the
// simulated upstream; only the name of the package is replaced by the place of its sources.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { environmentName } from "../../src/config/text.ts";
import type { SettingKey } from "../../src/config/schema.ts";

const root = resolve(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

const example = (name: string): string => {
  const code = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = ""]) => text).find((text) => text.startsWith(`// ${name}\n`));
  if (code === undefined) throw new Error(`the README has no example ${name}`);
  return code.replace('"claude-oauth-proxy"', JSON.stringify(join(root, "src/index.ts")));
};

const folderWith = (...names: readonly string[]): string => {
  const folder = temporaryFolder("example");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const name of names) writeFileSync(join(folder, name), example(name));
  return folder;
};

const environment = (dir: string, upstream: Upstream): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(upstream.settings()).map(([key, value]) => [environmentName(key as SettingKey), value])),
  CLAUDE_OAUTH_PROXY_DIR: dir,
  ANTHROPIC_BASE_URL: upstream.baseUrl,
});

describe("the examples of the README", () => {
  it("are right for the compiler, as strict as the program itself", () => {
    const folder = folderWith("sign-in.ts", "proxy.ts");
    const compilerOptions = { rootDir: "/", rewriteRelativeImportExtensions: false, typeRoots: [join(root, "node_modules/@types")] };
    const settings = { extends: join(root, "test/tsconfig.json"), compilerOptions, include: [], files: ["sign-in.ts", "proxy.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const { status, stdout } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });

  it("signs in, stores the credential and calls the API with it", async () => {
    const { dir, upstream, accounts } = await createDataFolder();
    const running = startProgram({ script: join(folderWith("sign-in.ts"), "sign-in.ts"), env: environment(dir, upstream) });
    const link = await running.waitForLine(`${upstream.baseUrl}/oauth/authorize`);
    running.write(`${await upstream.approve(link)}\n`);
    expect(await running.waitForExit()).toEqual({ code: 0, signal: null });
    expect(running.stderr()).toBe("");
    expect(running.stdout()).toContain("account claude: 200");
    expect(accounts()["claude"]?.refresh_token).toMatch(/^sk-ant-ort01-/);
    expect(running.stdout()).not.toContain("sk-ant");
  });

  it("runs a proxy, sees its events, and ends by itself after stop", async () => {
    const { dir, upstream } = await createDataFolder();
    storeGrants(dir, { ada: { grant: upstream.issueTokens() } });
    const running = startProgram({ script: join(folderWith("proxy.ts"), "proxy.ts"), env: environment(dir, upstream) });
    expect(await running.waitForExit()).toEqual({ code: 0, signal: null });
    // A fact about a request may be told a few milliseconds after its client has the answer.
    expect([running.stdout().trim().split("\n").toSorted(), running.stderr()]).toEqual([["200 in 1 attempt(s)", "200 true"], ""]);
  });
});
