import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkTarget } from "../../src/proxy/target.ts";

const codeOf = (target: string): string => {
  const verdict = checkTarget(target);
  return verdict.ok ? `ok ${verdict.path}` : verdict.code;
};

describe("checkTarget", () => {
  it.each([
    ["/v1/messages?beta=true", "ok /v1/messages"],
    ["/v1/messages/count_tokens", "ok /v1/messages/count_tokens"],
    ["/v1/models?limit=1000&a=%2F&a=;", "ok /v1/models"],
    ["/v1/files/a%20b%C3%A9", "ok /v1/files/a%20b%C3%A9"],
    ["/v1/models/..x", "ok /v1/models/..x"],
    ["/v1/messages?next=//evil.example/../x", "ok /v1/messages"],
  ])("lets %s through as it is", (target, expected) => {
    expect(codeOf(target)).toBe(expected);
  });

  it.each(["http://evil.example/v1/messages", "HTTPS://evil.example/v1/", "evil.example:443", "*", "", "v1/messages", "?x"])("%s is no path: 400 (P6, P10)", (target) => {
    expect(codeOf(target)).toBe("bad-request");
  });

  it.each(["//evil.example/x", "/\\evil.example/x", "//v1/messages", "/v1/messages#frag", "/v1/a b", "/v1/\u0000", "/v1/\u00e9", "/v1/%zz", "/v1/%"])("%s is malformed: 400 (P7, S26)", (target) => {
    expect(codeOf(target)).toBe("bad-request");
  });

  it.each([
    "/v1/../x",
    "/v1/./messages",
    "/v1/%2e%2e/x",
    "/v1/%2E./x",
    "/v1/%2F..",
    "/v1/a%2fb",
    "/v1/a%5cb",
    "/v1\\messages",
    "/v1//messages",
    "/v1/..;x/y",
    "/v1/%252e%252e/x",
    "/v1/%25252e%25252e/x",
    "/v1/a%00b",
    "/v1/a%0ab",
    "/v1",
    "/",
    "/api/oauth/profile",
    "/V1/messages",
    "/%761/messages",
  ])("%s does not exist here: 404 (P8, S24)", (target) => {
    expect(["not-found", "bad-request"]).toContain(codeOf(target));
    expect(checkTarget(target).ok).toBe(false);
  });

  it.each(["/v1/oauth/token", "/v1/oauth", "/v1/OAuth/token", "/v1/%6fauth/token", "/v1/%256fauth/token", "/v1/oauth;x/token"])("%s is never forwarded (S25)", (target) => {
    expect(codeOf(target)).toBe("not-found");
  });

  it("nothing it lets through leaves /v1/ when a URL parser resolves it", () => {
    const piece = fc.constantFrom("/", "\\", ".", "..", "%2e", "%2F", "%5c", "%25", "2e", ";", "v1", "oauth", "a", "?", "@", ":", "evil.example", "http:");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/v1/${pieces.join("")}`;
        const verdict = checkTarget(target);
        if (!verdict.ok) return;
        const resolved = new URL(target, "https://api.example");
        expect(resolved.origin).toBe("https://api.example");
        expect(resolved.pathname.startsWith("/v1/")).toBe(true);
        expect(resolved.pathname).toBe(verdict.path);
      }),
      { numRuns: 3000 },
    );
  });
});
