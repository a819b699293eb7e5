// One folder for a whole run in which every program the tests start keeps its compiled code: a start costs
// half as much when an earlier one has left it there. Of its own, so that nothing of it stays behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The set-up of a whole run; what it returns ends it. */
export const setup = (): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), "cop-compiled-"));
  // Inherited by the test runner's processes, which do not use it themselves: they would still write when it is gone.
  process.env.TEST_COMPILED_CODE = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
};

/** For the environment of a program that a test starts. */
export const compiledCode = (): { readonly NODE_COMPILE_CACHE?: string } => {
  const { TEST_COMPILED_CODE: folder } = process.env;
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
};
