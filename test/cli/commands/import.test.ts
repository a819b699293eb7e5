// `import FILE`: what was taken, what was kept back.
import { describe, expect, it } from "vitest";
import { fakeContext } from "../fake-context.ts";

describe("import", () => {
  it("tells what was taken and what was kept back; nothing taken is a failure", async () => {
    const context = fakeContext({ store: { importFile: async () => ({ imported: ["a"], skipped: [{ id: "b", reason: "is there already" }] }) } });
    expect(await context.run("import", "/some/file")).toBe(0);
    expect(context.said.err()).toBe("imported a\nskipped b: is there already\n1 imported, 1 skipped\n");
    expect(await fakeContext({ store: { importFile: async () => ({ imported: [], skipped: [] }) } }).run("import", "x")).toBe(1);
  });
});
