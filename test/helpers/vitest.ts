// What the test runner is given: the order of the files, and one line of counts at the end.
import { writeFileSync } from "node:fs";
import { BaseSequencer } from "vitest/node";
import type { Reporter, TestModule, TestSpecification } from "vitest/node";

/** Small files that take long: each would be the last, alone on one of two cores. `readme.test.ts` sees that they are there. */
export const longest = ["storage/accounts-file-crash", "proxy/exchange", "cli/young-generation", "proxy/foreign-answers", "doctor/proof"].map((name) => `test/${name}.test.ts`);

const rank = ({ moduleId }: TestSpecification): number => {
  const place = longest.findIndex((file) => moduleId.endsWith(file));
  return place === -1 ? longest.length : place;
};

/** Where no earlier run says how long each file takes, as in a fresh clone, the largest come first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // One project after the other, as they were.
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((one) => sorted.filter(({ project }) => project === one).toSorted((a, b) => rank(a) - rank(b)));
  }
}

/**
 * Writes `N passed, N failed, N skipped` to the file named by VITEST_COUNTS, for the closing line of continuous
 * integration. A file that could not even be loaded counts as one failure.
 */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const file = process.env["VITEST_COUNTS"];
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
