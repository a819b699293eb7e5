// Writes `N passed, N failed, N skipped` to the file named by VITEST_COUNTS, for the continuous
// integration's closing line. A file that could not even be loaded counts as one failure.
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const file = process.env.VITEST_COUNTS;
    if (file === undefined || file === "") return;
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") count[state] += 1;
        // A second try that passed is no success to be proud of: it is named, so that somebody looks.
        if (test.diagnostic()?.flaky === true) console.error(`passed only when tried again: ${test.fullName}`);
      }
    }
    writeFileSync(file, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
