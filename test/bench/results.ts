// RESULTS.md: one section of the bench, one of the soak, each written whole by its own run.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";

const path = join(import.meta.dirname, "RESULTS.md");

/** Date and machine, for the beginning of a section. */
export const circumstances = (): string =>
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "an unknown processor"}, kernel ${release()}`;

export const readResults = (): string => readFileSync(path, "utf8");

export const writeSection = (name: "bench" | "soak", text: string): void => {
  const [before, after] = [`<!-- ${name}:start -->\n`, `<!-- ${name}:end -->`];
  const [head, tail] = [readResults().split(before)[0] ?? "", readResults().split(after)[1] ?? ""];
  writeFileSync(path, `${head}${before}${text.trim()}\n${after}${tail}`);
};
