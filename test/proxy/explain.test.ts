import { describe, expect, it } from "vitest";

import { AppError } from "../../src/messages/errors.ts";
import { explain } from "../../src/proxy/explain.ts";

const scene = { origin: "https://api.example", sent: false };
const of = (code: string, sent = false) => explain(Object.assign(new Error("Bearer CANARY"), { code }), { ...scene, sent });

describe("explain", () => {
  it.each([
    ["ENOTFOUND", "upstream-unreachable", /could not be looked up/, false],
    ["ECONNREFUSED", "upstream-unreachable", /refused the connection/, false],
    ["UND_ERR_CONNECT_TIMEOUT", "upstream-timeout", /within the time limit/, false],
    ["CERT_HAS_EXPIRED", "upstream-unreachable", /certificate .* is not trusted/, true],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "upstream-unreachable", /certificate .* is not trusted/, true],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "upstream-unreachable", /No TLS connection/, false],
    ["EHOSTUNREACH", "upstream-unreachable", /no route/, false],
    ["EMFILE", "upstream-unreachable", /No more files/, false],
    ["INVALID_REQUEST", "bad-request", /cannot be sent on/, true],
    ["ECONNRESET", "upstream-unreachable", /No connection to/, false],
  ])("F2 %s before sending", (reason, code, message, permanent) => {
    expect(of(reason)).toMatchObject({ code, reason, permanent, message: expect.stringMatching(message) as unknown });
  });

  it.each([
    ["CONNECTION_CLOSED", "upstream-broken", /closed the connection/],
    ["BAD_STATUS_LINE", "upstream-broken", /correct HTTP/],
    ["HEADERS_TOO_LARGE", "upstream-broken", /64 KiB/],
    ["SHORT_BODY", "upstream-broken", /before it was complete/],
  ])("%s after sending", (reason, code, message) => {
    expect(of(reason, true)).toMatchObject({ code, reason, message: expect.stringMatching(message) as unknown });
  });

  it("never quotes an error's text, finds the code inside, and survives anything thrown", () => {
    expect(JSON.stringify(of("ECONNREFUSED"))).not.toContain("CANARY");
    expect(explain(new AggregateError([Object.assign(new Error("x"), { code: "ECONNREFUSED" })]), scene).reason).toBe("ECONNREFUSED");
    expect(explain(new Error("x", { cause: Object.assign(new Error("y"), { code: "ENOTFOUND" }) }), scene).reason).toBe("ENOTFOUND");
    for (const thrown of [null, "Bearer CANARY", { code: "Bearer CANARY" }, undefined]) expect(explain(thrown, scene).reason).toBe("UNKNOWN");
  });

  it("a refusal of the outbound proxy is final, an unreachable one is not", () => {
    expect(explain(new AppError({ code: "upstream-unreachable", message: "Proxy said no." }), scene).permanent).toBe(true);
    expect(explain(new AppError({ code: "upstream-unreachable", message: "No.", cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) }), scene).permanent).toBe(false);
    expect(explain(new AppError({ code: "upstream-unreachable", message: "No.", cause: Object.assign(new Error(), { code: "CERT_HAS_EXPIRED" }) }), scene).permanent).toBe(true);
  });

  it("an outbound proxy that is silent is a time limit, in its own words", () => {
    const error = new AppError({ code: "upstream-timeout", message: "No.", hint: "Look.", cause: Object.assign(new Error(), { code: "ETIMEDOUT" }) });
    expect(explain(error, scene)).toEqual({ code: "upstream-timeout", reason: "ETIMEDOUT", message: "No.", hint: "Look.", permanent: false });
  });
});
