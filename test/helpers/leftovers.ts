// What a test started and must not outlive it: process groups and folders. Each is released at the end
// of the test that made it; what a `beforeAll` made goes after the last test of its file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { holdPort } from "./ports.ts";

const open = new Set<() => void>();
let watching = false;

const releaseAll = (): void => {
  for (const release of open) release();
  open.clear();
};

// First to come is last to go: after whatever the file itself does in the end.
afterAll(() => {
  releaseAll();
  process.off("exit", releaseAll);
  watching = false;
});

/**
 * Calls `release` once: at the end of the running test, or (for what a `beforeAll` made) after the last
 * test of the file. Returns the way to do it earlier. `release` must be synchronous.
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
    // Not inside a test: the owner calls it, or the end of the file does.
  }
  return once;
};

/** Calls `close` and waits for it at the end of the running test, or calls it after the last test of the file. */
export const closeLater = (close: () => Promise<void>): void => {
  try {
    onTestFinished(close);
  } catch {
    releaseLater(() => void close());
  }
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

/** A port that is held until the end of the test: nobody listens there unless the test does. */
export const reservePort = async (): Promise<number> => {
  const { port, release } = await holdPort();
  releaseLater(release);
  return port;
};
