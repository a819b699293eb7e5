// What `npm pack` makes of this project: the files in the package, and the program that starts from them with
// nothing but its own dependencies beside it. Neither a registry nor npm's cache is asked.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { reservePort, temporaryFolder } from "../helpers/leftovers.ts";
import { cleanEnvironment } from "../helpers/program.ts";

const root = resolve(import.meta.dirname, "../..");
const jsonIn = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

type Manifest = { readonly name: string; readonly version: string; readonly scripts?: object; readonly bin: Readonly<Record<string, string>> };
type Lock = { readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>> };
type Packed = { readonly filename: string; readonly files: readonly { readonly path: string; readonly mode: number }[] };

/** Resolves to standard output. */
const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  // Another home than `cwd`: npm leaves a log there.
  const env = cleanEnvironment(temporaryFolder(), { npm_config_update_notifier: "false", CLAUDE_OAUTH_PROXY_SERVER__PORT: String(await reservePort()) });
  return new Promise((done, fail) => {
    execFile(command, args, { cwd, env, timeout: 50_000, maxBuffer: 16 * 1024 * 1024 }, (error, out, err) => (error === null ? done(out) : fail(new Error(`${error.message}\n${out}${err}`))));
  });
};

/** `npm pack --json` gave a list until npm 11 and an object by name since. */
const packedIn = (text: string): Packed => {
  const told = JSON.parse(text) as readonly Packed[] | Readonly<Record<string, Packed>>;
  const [packed] = Object.values(told);
  if (packed === undefined) throw new Error(text);
  return packed;
};

/** The folder of the package as an installation would have it: its dependencies beside it, none for development. */
const installed = async (tarball: string, folder: string): Promise<string> => {
  const modules = join(folder, "node_modules");
  const place = join(modules, jsonIn<Manifest>(join(root, "package.json")).name);
  mkdirSync(place, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", place], folder);
  for (const [path, { dev, devOptional }] of Object.entries(jsonIn<Lock>(join(root, "package-lock.json")).packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined || dev === true || devOptional === true) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, path), join(modules, name));
  }
  return place;
};

describe("the package", () => {
  const folder = temporaryFolder();
  let packed: Packed;
  beforeAll(async () => {
    packed = packedIn(await run("npm", ["pack", "--json", "--offline", "--ignore-scripts", "--pack-destination", folder], root));
  });

  it("holds the program, its types and its papers, and runs nothing when it is installed (S28)", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", "CHANGELOG.md", "bin/claude-oauth-proxy.js", "dist/cli/main.js", "dist/index.js", "dist/index.d.ts"]));
    expect(paths.filter((path) => !/^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/claude-oauth-proxy\.js|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(path))).toEqual([]);
    const { scripts } = jsonIn<Manifest>(join(root, "package.json"));
    expect(Object.keys(scripts ?? {}).filter((name) => /^(?:pre|post)?(?:install|uninstall)$/.test(name))).toEqual([]);
  });

  it("starts from an empty folder with its dependencies alone, from any other folder", async () => {
    const place = await installed(join(folder, packed.filename), folder);
    const { name, version, bin } = jsonIn<Manifest>(join(place, "package.json"));
    const program = join(place, bin[name] ?? "");
    expect(await run(program, ["--version"], folder)).toBe(`${version}\n`);
    expect(await run(program, ["status", "--short"], folder)).toBe("down | sign-in needed\n");
    const asking = `console.log(typeof (await import(${JSON.stringify(name)})).createProxy)`;
    expect(await run(process.execPath, ["--input-type=module", "-e", asking], folder)).toBe("function\n");
  });
});
