// The report: 80 columns for a person, one object for a script, no secret in either.
import { describe, expect, it } from "vitest";
import { isFine, ok, problem, reportJson, reportText, span, warning } from "../../src/doctor/report.ts";
import { secret } from "../../src/lib/secret.ts";
import { createRedact } from "../../src/lib/redact.ts";

const key = "key-of-this-test-0123456789";
const redact = createRedact(() => [secret(key)]);
const long = `/home/${"a-very-long-folder-name/".repeat(8)} and ${key} and \u001b[2J`;

const report = { checks: [ok("node", "24"), warning("folder", long, `look at ${long}`)], proofs: [ok("stream pace", "12 of 12")] };

describe("the report", () => {
  it("fits 80 columns whatever is found, and says what to do under it", () => {
    const lines = reportText(report, redact).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.some((line) => line.includes("-> look at"))).toBe(true);
    expect(lines.at(-1)).toBe("No problem found, 1 warning.");
  });

  it("has a column each for status, name and what was found; more lines and advice stand under the third", () => {
    const checks = [ok("node", "24"), warning("folder", "eighty columns are too few for a sentence as long as this one is", "close it to the others, and sign in again if they may have read it")];
    expect(reportText({ checks, proofs: [problem("betas", "lost", null)] }, redact).split("\n")).toEqual([
      "Checks on this machine; neither the upstream nor the token endpoint is called",
      " ok       node    24",
      " warning  folder  eighty columns are too few for a sentence as long as this one",
      "                  is",
      "                  -> close it to the others, and sign in again if they may have",
      "                     read it",
      "",
      "Transparency of a proxy of its own before a simulated Anthropic, by real sockets",
      " PROBLEM  betas   lost",
      "",
      "1 problem, 1 warning.",
    ]);
  });

  it("shows neither a secret nor an escape, as text and as JSON", () => {
    for (const text of [reportText(report, redact), reportJson(report, redact)]) {
      expect(text).not.toContain(key);
      expect(text).not.toContain("\u001b");
      expect(text).toContain("***");
    }
  });

  it("warnings do not fail, a problem in a check or a proof does", () => {
    const bad = problem("x", "y", null);
    expect([report, { checks: [bad], proofs: [] }, { checks: [], proofs: [bad] }].map(isFine)).toEqual([true, false, false]);
    expect(reportText({ checks: [bad], proofs: [bad] }, redact)).toContain("2 problems, 0 warnings.");
    expect(JSON.parse(reportJson({ checks: [bad], proofs: [] }, redact))).toEqual({ ok: false, checks: [{ name: "x", status: "problem", found: "y", advice: null }], proofs: [] });
  });

  it("spans of time are short", () => {
    const hour = 3_600_000;
    expect([59_000, 60_000, 3 * hour + 720_000, 98 * hour].map(span)).toEqual(["59s", "1m", "3h12m", "4d2h"]);
  });
});
