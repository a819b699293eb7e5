import { describe, expect, it } from "vitest";
import { settingKeys } from "../../src/config/schema.ts";
import { settingsTable } from "../../src/config/text.ts";

describe("the settings as a table", () => {
  it("has one row of four cells for each setting", () => {
    const rows = settingsTable().split("\n").slice(2);
    expect(rows).toHaveLength(settingKeys.length);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6);
    expect(rows.find((row) => row.includes("rateLimit.auth"))).toContain("`20/min`");
    expect(rows.find((row) => row.includes("rateLimit.api"))).toContain("`off`");
    expect(rows.find((row) => row.includes("`models.map`"))).toContain("| none |");
  });
});
