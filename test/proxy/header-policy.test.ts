import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { secret } from "../../src/lib/secret.ts";
import { requestHeaders, responseHeaders } from "../../src/proxy/header-policy.ts";

const oauth = { kind: "oauth", token: secret("TOKEN") } as const;
const key = { kind: "api_key", token: secret("KEY") } as const;

/** What becomes of these anthropic-beta lists. */
const beta = (...values: string[]): string[] => requestHeaders(values.flatMap((value) => ["anthropic-beta", value]), oauth).filter((_, index, list) => list[index - 1] === "anthropic-beta");

const ofOneHop = "te|transfer-encoding|upgrade|connection|keep-alive|trailer|expect|proxy-.*";
const neverSent = new RegExp(`^(?:x-api-key|cookie|host|forwarded|x-forwarded-.*|x-claude-oauth-proxy-.*|${ofOneHop})$`);

describe("requestHeaders", () => {
  it("the OAuth capability is added once, to the last list, and only when it is nowhere (P23)", () => {
    expect(beta()).toEqual(["oauth-2025-04-20"]);
    expect(beta("")).toEqual(["oauth-2025-04-20"]);
    expect(beta("a , b")).toEqual(["a , b,oauth-2025-04-20"]);
    expect(beta("a", "b")).toEqual(["a", "b,oauth-2025-04-20"]);
    expect(beta("a, oauth-2025-04-20", "b")).toEqual(["a, oauth-2025-04-20", "b"]);
    expect(beta("xoauth-2025-04-20")).toEqual(["xoauth-2025-04-20,oauth-2025-04-20"]);
  });

  it("the version is added when it is missing, for either kind of account, and never in pass-through mode", () => {
    expect(requestHeaders([], oauth)).toEqual(["anthropic-beta", "oauth-2025-04-20", "anthropic-version", "2023-06-01", "authorization", "Bearer TOKEN"]);
    expect(requestHeaders(["Anthropic-Version", "2"], key)).toEqual(["Anthropic-Version", "2", "x-api-key", "KEY"]);
    expect(requestHeaders(["X", "1"], null)).toEqual(["X", "1"]);
  });

  it("in pass-through mode the local key is taken out wherever a client still shows it, and another value stays (S14)", () => {
    const local = secret("cop_local-key-canary");
    expect(requestHeaders(["Authorization", "Bearer cop_local-key-canary", "x-api-key", "sk-own", "a", "b"], null, local)).toEqual(["x-api-key", "sk-own", "a", "b"]);
    expect(requestHeaders(["X-Api-Key", "cop_local-key-canary", "authorization", "bearer  cop_local-key-canary"], null, local)).toEqual([]);
    expect(requestHeaders(["authorization", "Bearer cop_local-key-canary2"], null, local)).toEqual(["authorization", "Bearer cop_local-key-canary2"]);
  });

  it("in pass-through mode both credentials of the client stay, and the local key does not", () => {
    const raw = ["Authorization", "Bearer own", "x-api-key", "own-key", "X-Claude-OAuth-Proxy-Key", "local", "Cookie", "c"];
    expect(requestHeaders(raw, null)).toEqual(["Authorization", "Bearer own", "x-api-key", "own-key"]);
  });

  it("whatever a client sends, exactly one credential goes out and nothing of the hop (P18, P19, S21, S22)", () => {
    const name = fc.constantFrom(
      "Connection", "Authorization", "X-API-Key", "authorization", "Cookie", "Host", "TE", "Transfer-Encoding", "Upgrade", "Proxy-Authorization",
      "Proxy-X", "X-Forwarded-For", "Forwarded", "Expect", "Keep-Alive", "Trailer", "X-Claude-OAuth-Proxy-Key", "Accept", "X-Custom",
      "anthropic-beta",
    );
    const value = fc.constantFrom("authorization", "x-api-key, anthropic-version", "close", "keep-alive", "x-custom", "CANARY", "", "anthropic-beta , ,");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 15 }), (fields) => {
        const out = requestHeaders(fields.flat(), oauth);
        const names = out.filter((_, index) => index % 2 === 0).map((field) => field.toLowerCase());
        expect(names.filter((field) => field === "authorization")).toEqual(["authorization"]);
        expect(out.at(-1)).toBe("Bearer TOKEN");
        expect(names.filter((field) => neverSent.test(field))).toEqual([]);
      }),
    );
  });

  it("what remains keeps order, case, duplicates and bytes", () => {
    const raw = ["B", "1", "a", "\u00e9\u0080", "b", "2", "B", "1"];
    expect(requestHeaders(raw, null)).toEqual(raw);
  });
});

describe("responseHeaders", () => {
  it("keeps order, case and duplicates without hop-by-hop and CORS fields", () => {
    const raw = [
      "Set-Cookie", "a", "Connection", "X-Hop, close", "connection", "x-two", "X-Two", "2", "X-Hop", "1", "Name", "\u00e9\u009b", "set-cookie", "b",
      "Transfer-Encoding", "chunked", "access-control-allow-origin", "*", "Access-Control-Expose-Headers", "x", "Via", "1.1 edge",
    ];
    expect(responseHeaders(raw, 200)).toEqual(["Set-Cookie", "a", "Name", "\u00e9\u009b", "set-cookie", "b", "Access-Control-Expose-Headers", "x", "Via", "1.1 edge"]);
  });

  it("a length stays except where there is no body (P15)", () => {
    expect(responseHeaders(["Content-Length", "5"], 200)).toEqual(["Content-Length", "5"]);
    expect(responseHeaders(["Content-Length", "5"], 204)).toEqual([]);
    expect(responseHeaders(["Content-Length", "5"], 304)).toEqual([]);
  });
});
