// What `npm` makes of this project: the files it packs, and the program it installs from them.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { cleanEnvironment } from "../helpers/program.ts";

const root = resolve(import.meta.dirname, "../..");
const { version, scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string; scripts: Record<string, string> };

/** Resolves to standard output; the cache of this machine is used, so that little or nothing has to be fetched. */
const npm = (command: "npm" | "npx", args: readonly string[], cwd: string): Promise<string> =>
  new Promise((done, fail) => {
    const cache = process.env["npm_config_cache"] ?? join(process.env["HOME"] ?? "", ".npm");
    // Not `cwd` as the home: npm would leave its compile cache in the project.
    const env = cleanEnvironment(temporaryFolder(), { npm_config_cache: cache, npm_config_update_notifier: "false" });
    execFile(command, args, { cwd, env, timeout: 240_000, maxBuffer: 16 * 1024 * 1024 }, (error, out, err) => (error === null ? done(out) : fail(new Error(`${error.message}\n${out}${err}`))));
  });

type Packed = { readonly filename: string; readonly files: readonly { readonly path: string; readonly mode: number }[] };

/** `npm pack --json` gave a list until npm 11 and an object by name since. */
const packedIn = (text: string): Packed => {
  const told = JSON.parse(text) as readonly Packed[] | Readonly<Record<string, Packed>>;
  const [packed] = Object.values(told);
  if (packed === undefined) throw new Error(text);
  return packed;
};

describe("the package", () => {
  const folder = temporaryFolder();
  let packed: Packed;
  beforeAll(async () => {
    packed = packedIn(await npm("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  });

  it("S28 holds the program, its types and its papers, and runs nothing when it is installed", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", "CHANGELOG.md", "bin/claude-oauth-proxy.js", "dist/cli/main.js", "dist/index.js", "dist/index.d.ts"]));
    expect(paths.filter((path) => !/^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/claude-oauth-proxy\.js|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(path))).toEqual([]);
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?(?:install|uninstall)$/.test(name))).toEqual([]);
  });

  it("installs into an empty folder and runs from there", { timeout: 300_000 }, async () => {
    const place = join(folder, "place");
    mkdirSync(place);
    await npm("npm", ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", join(folder, packed.filename)], place);
    expect(await npm("npx", ["--no-install", "claude-oauth-proxy", "--version"], place)).toBe(`${version}\n`);
    expect(await npm("npx", ["--no-install", "claude-oauth-proxy", "status", "--short"], place)).toBe("down | sign-in needed\n");
  });
});
