// The set-up of a run with end-to-end tests: dist/ is what src/ says. It is replaced only where it differs, and by two
// renames, so that a program or another run of the tests that uses it at the same time goes on.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";

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

/** Once for all projects of a run. */
export const setup = (): void => {
  if (process.env["TEST_BUILT"] === "1") return;
  process.env["TEST_BUILT"] = "1";
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
