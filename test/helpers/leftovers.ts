// What a test started and must not outlive it: process groups and folders. Each is released at the end
// of the test that made it; whatever is left goes when the test runner's process ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const open = new Set<() => void>();
let watching = false;

const releaseAll = (): void => {
  for (const release of open) release();
  open.clear();
};

/**
 * Calls `release` once: at the end of the running test, or (for what a `beforeAll` made) when the
 * runner ends. Returns the way to do it earlier. `release` must be synchronous.
 */
export const releaseLater = (release: () => void): (() => void) => {
  const once = (): void => {
    if (open.delete(once)) release();
  };
  open.add(once);
  if (!watching) process.once("exit", releaseAll);
  watching = true;
  try {
    onTestFinished(once);
  } catch {
    // Not inside a test: the owner calls it, or the runner's end does.
  }
  return once;
};

/** Kills the process group of `pid`, whatever of it is left; only for children started `detached`. */
export const killGroup = (pid: number, signal: NodeJS.Signals = "SIGKILL"): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
};

/** An empty folder that is removed with the test. */
export const temporaryFolder = (name = "cop"): string => {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  releaseLater(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
};
