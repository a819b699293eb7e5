// The authorize page believes nothing: every parameter is checked before anybody is asked anything.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkAuthorizeRequest } from "../../src/demo/authorize-request.ts";
import { clientId } from "../../src/demo/registered-client.ts";

const base = "http://127.0.0.1:1234";
const good = {
  client_id: clientId,
  response_type: "code",
  redirect_uri: `${base}/oauth/code/callback`,
  scope: "user:profile user:inference",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
  state: "s",
};

const check = (change: Readonly<Record<string, string | undefined>> = {}) => {
  const entries = Object.entries({ ...good, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return checkAuthorizeRequest(new URLSearchParams(entries), base);
};

describe("checkAuthorizeRequest", () => {
  it("accepts the hosted redirect and a loopback callback on any port", () => {
    expect(check()).toMatchObject({ ok: true, request: { scopes: ["user:profile", "user:inference"], state: "s" } });
    expect(check({ redirect_uri: "http://localhost:54545/callback" })).toMatchObject({ ok: true });
  });

  it.each([
    ["client_id", "somebody-else", "Unknown client_id"],
    ["client_id", undefined, "Unknown client_id"],
    ["response_type", "token", "response_type must be code"],
    ["scope", undefined, "Missing scope"],
    ["scope", "user:inference admin", "Unknown scope: admin"],
    ["code_challenge_method", "plain", "code_challenge_method must be S256"],
    ["code_challenge", good.code_challenge.slice(1), "code_challenge must be 43 base64url characters"],
    ["code_challenge", `${good.code_challenge}A`, "code_challenge must be 43 base64url characters"],
    ["code_challenge", "short", "code_challenge must be 43 base64url characters"],
    ["code_challenge", `${good.code_challenge}=`, "code_challenge must be 43 base64url characters"],
    ["state", undefined, "Missing state parameter"],
    ["state", "", "Missing state parameter"],
  ])("refuses %s = %s", (name, value, message) => {
    expect(check({ [name]: value })).toEqual({ ok: false, message });
  });

  it.each([
    "https://evil.example/callback",
    "http://127.0.0.1:5000/callback",
    "http://localhost:0/callback",
    "http://localhost:65536/callback",
    "http://localhost/callback",
    "http://localhost:80/callback/",
    "http://localhost:80/callback?x=1",
    "http://localhost:80@evil.example/callback",
    `${base}/oauth/code/callback/`,
    "http://127.0.0.1:9999/oauth/code/callback",
  ])("refuses the redirect %s", (redirect_uri) => {
    expect(check({ redirect_uri })).toEqual({ ok: false, message: "redirect_uri not supported by client" });
  });

  it("refuses a parameter that is given twice", () => {
    expect(checkAuthorizeRequest(new URLSearchParams([...Object.entries(good), ["state", "t"]]), base)).toMatchObject({ ok: false });
  });

  it("never redirects to an address that was made up", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (redirect_uri) => {
        expect(check({ redirect_uri }).ok).toBe(false);
      }),
    );
  });
});
