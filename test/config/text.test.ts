import { describe, expect, it } from "vitest";
import { settingKeys } from "../../src/config/schema.ts";
import { checkText, settingsTable, withoutPrivate } from "../../src/config/text.ts";

describe("the environment of a child process", () => {
  it("has no variable that only this program may read, in no spelling that Windows would take for it", () => {
    const names = ["CLAUDE_OAUTH_PROXY_PASSPHRASE", "claude_oauth_proxy_Passphrase", "CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY", "CLAUDE_OAUTH_PROXY_DIR", "HTTPS_PROXY"];
    expect(Object.keys(withoutPrivate(Object.fromEntries(names.map((name) => [name, "x"]))))).toEqual(["CLAUDE_OAUTH_PROXY_DIR", "HTTPS_PROXY"]);
  });
});

describe("a text for a setting", () => {
  it("is no URL when its name is longer than any can be, and that is said, not thrown", () => {
    expect(checkText("oauth.tokenUrl", `https://${"eyJ-".repeat(16_384)}`)).toMatchObject({ ok: false });
  });
});

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
