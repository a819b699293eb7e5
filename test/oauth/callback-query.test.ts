import { describe, expect, it } from "vitest";
import { readCallbackQuery } from "../../src/oauth/callback-query.ts";

describe("the query of a callback", () => {
  it.each([
    ["code=a&state=b", "code"],
    ["?state=b&code=a&iss=x", "code"],
    ["error=access_denied&error_description=no&state=b", "error"],
    ["code=a&error=x&state=b", "error"],
    ["", "nonsense"],
    ["code=a", "nonsense"],
    ["code=&state=b", "nonsense"],
    ["state=b", "nonsense"],
    ["error=access_denied", "nonsense"],
    ["code=a&code=c&state=b", "nonsense"],
    ["code=a&state=b&state=b", "nonsense"],
  ])("%s says %s", (query, says) => {
    expect(readCallbackQuery(query).says).toBe(says);
  });
});
