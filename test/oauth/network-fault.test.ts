import { describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { networkFault } from "../../src/oauth/network-fault.ts";

const failed = (cause: unknown) => networkFault(new TypeError("fetch failed", { cause }), "token.example");
const coded = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });

describe("was the request sent?", () => {
  it.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"])("%s: no", (code) => {
    expect(failed(coded(code))).toEqual({ sent: "no", code, message: `Could not reach token.example: ${code}.` });
  });

  it.each(["UND_ERR_SOCKET", "ECONNRESET", "ETIMEDOUT", "EPIPE", "UND_ERR_HEADERS_TIMEOUT", "EPROTO", "HPE_INVALID_CONSTANT"])("%s: maybe", (code) => {
    expect(failed(coded(code))).toMatchObject({ sent: "maybe", code });
  });

  it("a timeout or reset while connecting: no", () => {
    expect(failed(coded("ETIMEDOUT", { syscall: "connect" }))).toMatchObject({ sent: "no" });
    const early = "Client network socket disconnected before secure TLS connection was established";
    expect(failed(Object.assign(new Error(early), { code: "ECONNRESET" }))).toMatchObject({ sent: "no" });
  });

  it.each(["upstream-unreachable", "upstream-timeout"] as const)("an outbound proxy that gives no way through (%s): no, in its own words", (code) => {
    const cause = new AppError({ code, message: "The outbound proxy http://p:1 wants a password (407).", cause: coded("ECONNRESET") });
    expect(failed(cause)).toEqual({ sent: "no", code, message: "The outbound proxy http://p:1 wants a password (407)." });
  });

  it("several addresses: no only if none of them was reached", () => {
    const refused = coded("ECONNREFUSED", { syscall: "connect" });
    expect(failed(new AggregateError([refused, refused]))).toMatchObject({ sent: "no" });
    expect(failed(new AggregateError([refused, coded("ECONNRESET")]))).toMatchObject({ sent: "maybe" });
  });

  it.each([undefined, null, "text", new Error("?"), { cause: { cause: null } }])("whatever else is thrown (%s): maybe", (error) => {
    expect(networkFault(error, "token.example")).toMatchObject({ sent: "maybe", code: "network-error" });
  });

  it("a chain of causes that bites its own tail ends", () => {
    const first: { cause?: unknown } = {};
    first.cause = { cause: first };
    expect(networkFault(first, "token.example")).toMatchObject({ sent: "maybe" });
  });
});
