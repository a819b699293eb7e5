// The order of the files where no earlier run tells how long each takes, as in a fresh clone: there the
// largest come first, and a small file that takes long would be the last, alone on one of two cores.
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

const longest = ["storage/accounts-file-crash", "cli/young-generation", "doctor/proof"];

const rank = ({ moduleId }: TestSpecification): number => {
  const place = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return place === -1 ? longest.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // One project after the other, as they were.
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((one) => sorted.filter(({ project }) => project === one).toSorted((a, b) => rank(a) - rank(b)));
  }
}
