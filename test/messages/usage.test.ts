// Each token once, however often and in whatever order requests tell what they have cost.
import { array, assert, constantFrom, nat, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { createOpenUsage } from "../../src/messages/usage.ts";
import type { UsageReport } from "../../src/messages/usage.ts";

type Counts = Partial<Pick<UsageReport, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheCreationTokens">>;

const report = (requestId: string, counts: Counts): UsageReport => ({
  type: "usage.updated", at: 0, seq: 0, requestId, model: null, inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheCreationTokens: null, stopReason: null, ...counts,
});
const nothing = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };

describe("what open requests have cost", () => {
  it("is told once, while requests report in turns", () => {
    const usage = createOpenUsage();
    expect(usage.add(report("a", { inputTokens: 100, cacheReadTokens: 7 }))).toEqual({ ...nothing, inputTokens: 100, cacheReadTokens: 7 });
    expect(usage.add(report("b", { outputTokens: 5 }))).toEqual({ ...nothing, outputTokens: 5 });
    expect(usage.add(report("a", { inputTokens: 100, outputTokens: 20 }))).toEqual({ ...nothing, outputTokens: 20 });
    expect(usage.add(report("b", { outputTokens: 9, cacheCreationTokens: 1 }))).toEqual({ ...nothing, outputTokens: 4, cacheCreationTokens: 1 });
  });

  it("is forgotten with the end of the request, the latest and an earlier one", () => {
    const usage = createOpenUsage();
    usage.add(report("a", { inputTokens: 3 }));
    usage.add(report("b", { inputTokens: 4 }));
    usage.close("a");
    usage.close("b");
    expect([usage.add(report("a", { inputTokens: 3 })).inputTokens, usage.add(report("b", { inputTokens: 4 })).inputTokens]).toEqual([3, 4]);
  });

  it("adds up to the largest report of each request", () => {
    const reports = array(record({ id: constantFrom("a", "b", "c"), output: option(nat(1000), { nil: null }) }));
    assert(property(reports, (told) => {
      const usage = createOpenUsage();
      const sum = told.reduce((total, { id, output }) => total + usage.add(report(id, { outputTokens: output })).outputTokens, 0);
      const largest = ["a", "b", "c"].map((id) => Math.max(0, ...told.filter((each) => each.id === id).map(({ output }) => output ?? 0)));
      expect(sum).toBe(largest.reduce((total, each) => total + each, 0));
    }));
  });
});
