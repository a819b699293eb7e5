// The set-up of a whole run. Before end-to-end tests dist/ is made what src/ says: it is replaced only when it differs,
// and by two renames, so that a program or another run of the tests that uses it at the same time goes on.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { TestProject } from "vitest/node";

const root = resolve(import.meta.dirname, "../..");
const dist = join(root, "dist");

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();

const areSame = (one: string, other: string): boolean => {
  if (!existsSync(one) || !existsSync(other)) return false;
  const files = filesIn(one);
  return files.join("\n") === filesIn(other).join("\n") && files.every((file) => readFileSync(join(one, file)).equals(readFileSync(join(other, file))));
};

/** Two runs that found the same difference may both be here: the one that comes second tries again. */
const replaceDist = (fresh: string, retired: string): void => {
  for (let tries = 0; tries < 10 && !areSame(fresh, dist); tries += 1) {
    rmSync(retired, { recursive: true, force: true });
    try {
      if (existsSync(dist)) renameSync(dist, retired);
      renameSync(fresh, dist);
      return;
    } catch {
      // The other one was faster.
    }
  }
};

const buildProgram = (): void => {
  const place = mkdtempSync(join(root, "node_modules/.build-"));
  const fresh = join(place, "dist");
  try {
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.json"), "--outDir", fresh];
    const { status, stdout, stderr } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
    if (status !== 0) throw new Error(`src/ could not be compiled:\n${stdout}${stderr}`);
    replaceDist(fresh, join(place, "retired"));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};

/** What it returns ends the run. */
export const setup = ({ vitest }: TestProject): (() => void) => {
  // The unit tests run the sources.
  if (vitest.projects.some(({ name }) => name !== "unit")) buildProgram();
  const compiled = mkdtempSync(join(tmpdir(), "cop-compiled-"));
  // Inherited by the test runner's processes, which do not use it themselves: they would still write when it is gone.
  process.env["TEST_COMPILED_CODE"] = compiled;
  return () => rmSync(compiled, { recursive: true, force: true, maxRetries: 3 });
};

/**
 * For the environment of a program that a test starts: one folder for the whole run in which they all keep their compiled
 * code. A start costs half as much when an earlier one has left it there.
 */
export const compiledCode = (): { readonly NODE_COMPILE_CACHE?: string } => {
  const { TEST_COMPILED_CODE: folder } = process.env;
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
};
