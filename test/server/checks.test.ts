// The gate's decision alone, against heads that nobody would write by hand.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { createChecks } from "../../src/server/checks.ts";
import { readFields } from "../../src/server/request-info.ts";
import type { RequestInfo } from "../../src/server/request-info.ts";

const admission = createChecks({
  mode: "oauth",
  key: secret("local-key"),
  keyRequired: true,
  host: "127.0.0.1",
  port: 4001,
  allowedHosts: [],
  allowedOrigins: [],
  sessions: { find: () => null, csrfFits: () => false },
});

const headWith = (rawHeaders: readonly string[], method = "GET", target = "/v1/models"): RequestInfo => ({ method, target, httpVersion: "1.1", fields: readFields(rawHeaders) });
const good = ["Host", "127.0.0.1:4001"];
const known = new Set(["127.0.0.1:4001", "localhost:4001", "[::1]:4001"]);

const name = fc.oneof(fc.constantFrom("host", "Host", "HOST", "origin", "sec-fetch-site", "authorization", "x-api-key", "content-length", "transfer-encoding", "cookie"), fc.string());
const value = fc.oneof(fc.constantFrom(...known, "null", "cross-site", "chunked", "Bearer x", "https://evil.example"), fc.string({ unit: "binary" }));
const rawHeaders = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((pairs) => pairs.flat());

describe("screening any head", () => {
  it("never throws, and lets in only exactly one known Host", () => {
    fc.assert(
      fc.property(rawHeaders, fc.constantFrom("GET", "POST", "OPTIONS"), (fields, method) => {
        const verdict = admission.screen(headWith(fields, method));
        const hosts = fields.filter((_, index) => index % 2 === 0 && fields[index]?.toLowerCase() === "host").length;
        const host = fields[fields.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === "host") + 1] ?? "";
        return !verdict.ok || (hosts === 1 && known.has(host.toLowerCase()));
      }),
      { numRuns: 2000 },
    );
  });

  it("no text but the known ones is a known Host (S2)", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.constantFrom(...known)), fc.constantFrom("", ":4001", ":4001.", ".:4001", ":04001"), (host, tail) => {
        const text = host + tail;
        return admission.screen(headWith(["Host", text])).ok === known.has(text.toLowerCase());
      }),
      { numRuns: 2000 },
    );
  });

  it("no origin but our own is let in (S4)", () => {
    fc.assert(fc.property(fc.oneof(fc.webUrl(), fc.string()), (origin) => !admission.screen(headWith([...good, "Origin", origin])).ok || origin.toLowerCase() === "http://127.0.0.1:4001"));
  });

  it("two origins are refused, even when both are our own", () => {
    expect(admission.screen(headWith([...good, "Origin", "http://127.0.0.1:4001", "Origin", "http://127.0.0.1:4001"]))).toMatchObject({ ok: false, code: "foreign-origin" });
  });
});

describe("the key against any credential", () => {
  it("only the key itself opens (S10)", () => {
    const anything = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("local-key", "Local-key", "local-key ", "local-ke", "", "\u016cocal-key", "local-ke\u0179"));
    fc.assert(
      fc.property(anything, (text) => {
        const opened = ["x-api-key", "authorization"].map((field) => admission.unlock(headWith([...good, field, field === "authorization" ? `Bearer ${text}` : text]), "forwarding").ok);
        // Spaces after the scheme are no part of the token.
        return opened[0] === (text === "local-key") && opened[1] === (text.replace(/^ +/, "") === "local-key");
      }),
      { numRuns: 2000 },
    );
  });

  it("an open route lets everybody in but knows the key when it is shown", () => {
    const open = "nothing";
    expect(admission.unlock(headWith(good), open)).toEqual({ ok: true, access: "none" });
    expect(admission.unlock(headWith([...good, "x-api-key", "wrong"]), open)).toEqual({ ok: true, access: "none" });
    expect(admission.unlock(headWith([...good, "x-api-key", "local-key"]), open)).toEqual({ ok: true, access: "key" });
  });

  it("a refusal says what to do and never what was sent", () => {
    const refused = admission.unlock(headWith([...good, "x-api-key", "canary-wrong-key"]), "forwarding");
    expect(refused).toMatchObject({ ok: false, code: "local-key" });
    expect(JSON.stringify(refused)).not.toContain("canary");
  });
});
