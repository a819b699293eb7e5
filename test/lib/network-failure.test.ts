import { describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { explainFailure, networkFailure } from "../../src/lib/network-failure.ts";
import type { NetworkFailureKind } from "../../src/lib/network-failure.ts";

const coded = (code: string, more: object = {}) => Object.assign(new Error("Bearer CANARY"), { code, ...more });
const nameless = (name: string) => Object.assign(new Error("x"), { name });
const fetched = (cause: unknown) => new TypeError("fetch failed", { cause });

describe("the kind of a network failure", () => {
  it.each<[string, NetworkFailureKind]>([
    ["ENOTFOUND", "name-lookup"],
    ["EAI_AGAIN", "name-lookup"],
    ["ECONNREFUSED", "refused"],
    ["EHOSTUNREACH", "no-route"],
    ["EADDRNOTAVAIL", "no-route"],
    ["UND_ERR_CONNECT_TIMEOUT", "connect-timeout"],
    ["ETIMEDOUT", "timeout"],
    ["CERT_HAS_EXPIRED", "certificate"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "certificate"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate"],
    ["INVALID_PURPOSE", "certificate"],
    ["CRL_HAS_EXPIRED", "certificate"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls"],
    ["EPROTO", "tls"],
    ["EMFILE", "open-files"],
    ["UND_ERR_INVALID_ARG", "bad-request"],
    ["HPE_INVALID_CONSTANT", "bad-response"],
    ["BAD_TRANSFER_ENCODING", "bad-response"],
    ["INTERIM_FLOOD", "bad-response"],
    ["UND_ERR_HEADERS_OVERFLOW", "response-headers-too-large"],
    ["HPE_HEADER_OVERFLOW", "response-headers-too-large"],
    ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "short-body"],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
    ["ECONNRESET", "closed"],
    ["UND_ERR_SOCKET", "closed"],
    ["UND_ERR_ABORTED", "aborted"],
    ["SOMETHING_NEW", "unknown"],
  ])("%s is %s, thrown as it is or wrapped by fetch", (code, kind) => {
    expect(networkFailure(coded(code))).toMatchObject({ kind, code, own: null });
    expect(networkFailure(fetched(coded(code)))).toMatchObject({ kind, code });
  });

  it("is read from the name where undici and the platform give no code", () => {
    expect(networkFailure(nameless("HTTPParserError"))).toMatchObject({ kind: "bad-response", code: "HTTP_PARSER_ERROR" });
    expect(networkFailure(Object.assign(nameless("HTTPParserError"), { code: "SOMETHING_NEW" }))).toMatchObject({ kind: "bad-response", code: "SOMETHING_NEW" });
    expect(networkFailure(new DOMException("x", "AbortError"))).toMatchObject({ kind: "aborted", code: "ABORT_ERR" });
    expect(networkFailure(new DOMException("x", "TimeoutError"))).toMatchObject({ kind: "timeout", code: "TIMEOUT_ERR" });
  });

  it("is that of the first address when several were tried", () => {
    expect(networkFailure(new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]))).toMatchObject({ kind: "refused", code: "ECONNREFUSED" });
  });

  const others = [undefined, null, "Bearer CANARY", 7, new Error("?"), { cause: { cause: null } }, { code: "Bearer CANARY" }, { code: "C".repeat(65) }, { errors: [] }];

  it.each(others)("is unknown for whatever else is thrown: %j", (thrown) => {
    expect(networkFailure(thrown)).toEqual({ kind: "unknown", code: "UNKNOWN", neverSent: false, own: null });
  });

  it("is found although a chain of causes leads back to itself", () => {
    const first: { cause?: unknown } = {};
    first.cause = { cause: first };
    expect(networkFailure(first)).toMatchObject({ kind: "unknown", neverSent: false });
  });
});

describe("whether the request was sent", () => {
  it.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID", "ERR_SSL_WRONG_VERSION_NUMBER", "EMFILE"])("%s: never", (code) => {
    expect(networkFailure(fetched(coded(code))).neverSent).toBe(true);
  });

  it.each(["UND_ERR_SOCKET", "ECONNRESET", "ETIMEDOUT", "EPIPE", "UND_ERR_HEADERS_TIMEOUT", "EPROTO", "HPE_INVALID_CONSTANT", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"])("%s: perhaps", (code) => {
    expect(networkFailure(fetched(coded(code))).neverSent).toBe(false);
  });

  it("a timeout or a reset while connecting: never", () => {
    expect(networkFailure(coded("ETIMEDOUT", { syscall: "connect" }))).toMatchObject({ kind: "connect-timeout", neverSent: true });
    const early = "Client network socket disconnected before secure TLS connection was established";
    expect(networkFailure(Object.assign(new Error(early), { code: "ECONNRESET" }))).toMatchObject({ kind: "closed", neverSent: true });
  });

  it.each(["read", "write", "writev"])("a route that is lost on a connection in use (%s): perhaps", (syscall) => {
    expect(networkFailure(coded("EHOSTUNREACH", { syscall })).neverSent).toBe(false);
  });

  it("several addresses: never only if none of them was reached", () => {
    const refused = coded("ECONNREFUSED", { syscall: "connect" });
    expect(networkFailure(fetched(new AggregateError([refused, refused]))).neverSent).toBe(true);
    expect(networkFailure(fetched(new AggregateError([refused, coded("ECONNRESET")]))).neverSent).toBe(false);
  });

  it("an outbound proxy that gives no way through: never", () => {
    expect(networkFailure(fetched(new AppError({ code: "upstream-timeout", message: "No.", cause: coded("ECONNRESET") })))).toMatchObject({ code: "ECONNRESET", neverSent: true });
    expect(networkFailure(new AppError({ code: "upstream-unreachable", message: "No." }))).toMatchObject({ kind: "blocked", code: "upstream-unreachable", neverSent: true });
  });
});

describe("a network failure in words", () => {
  const server = "https://api.example";
  const explained = (thrown: unknown, sent = false) => explainFailure(networkFailure(thrown), { server, sent });

  const ofProxy = (cause?: Error) => explained(new AppError({ code: "upstream-unreachable", message: "Proxy said no.", cause }));

  it.each([
    ["ENOTFOUND", "upstream-unreachable", "The name of https://api.example could not be looked up (ENOTFOUND).", false],
    ["ECONNREFUSED", "upstream-unreachable", "https://api.example refused the connection (ECONNREFUSED).", false],
    ["UND_ERR_CONNECT_TIMEOUT", "upstream-timeout", "No connection to https://api.example within the time limit (UND_ERR_CONNECT_TIMEOUT).", false],
    ["ETIMEDOUT", "upstream-timeout", "No connection to https://api.example within the time limit (ETIMEDOUT).", false],
    ["CERT_HAS_EXPIRED", "upstream-unreachable", "The certificate of https://api.example is not trusted (CERT_HAS_EXPIRED); nothing was sent.", true],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "upstream-unreachable", "No TLS connection with https://api.example could be agreed (ERR_SSL_WRONG_VERSION_NUMBER).", false],
    ["EHOSTUNREACH", "upstream-unreachable", "There is no route to https://api.example (EHOSTUNREACH).", false],
    ["EMFILE", "upstream-unreachable", "No more files may be opened, so no connection to https://api.example (EMFILE).", false],
    ["UND_ERR_INVALID_ARG", "bad-request", "The request cannot be sent on as it is (UND_ERR_INVALID_ARG).", true],
    ["ECONNRESET", "upstream-unreachable", "No connection to https://api.example (ECONNRESET).", false],
  ])("before sending: %s", (code, means, message, permanent) => {
    expect(explained(coded(code))).toMatchObject({ code: means, message, permanent });
  });

  it.each([
    ["UND_ERR_SOCKET", "closed the connection before its answer was complete"],
    ["HPE_INVALID_CONSTANT", "did not answer in correct HTTP"],
    ["UND_ERR_HEADERS_OVERFLOW", "sent more than 64 KiB of header fields"],
    ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "ended its answer before it was complete"],
    ["EPROTO", "closed the connection before its answer was complete"],
  ])("after sending: %s", (code, words) => {
    expect(explained(coded(code), true)).toMatchObject({ code: "upstream-broken", message: `https://api.example ${words} (${code}).`, permanent: false });
  });

  it("never quotes an error's text", () => {
    for (const thrown of [coded("ECONNREFUSED"), coded("ECONNRESET"), fetched(new Error("Bearer CANARY")), { code: "Bearer CANARY" }]) {
      expect(JSON.stringify([explained(thrown), explained(thrown, true)])).not.toContain("CANARY");
    }
  });

  it("is permanent when an outbound proxy refuses or its certificate is bad, not when it could not be reached", () => {
    expect(ofProxy()).toEqual({ code: "upstream-unreachable", message: "Proxy said no.", hint: "Check the network; the next request tries again.", permanent: true });
    expect(ofProxy(coded("ECONNREFUSED")).permanent).toBe(false);
    expect(ofProxy(coded("CERT_HAS_EXPIRED")).permanent).toBe(true);
  });

  it("keeps our own words and code for a silent outbound proxy and for a setting", () => {
    const silent = new AppError({ code: "upstream-timeout", message: "No.", hint: "Look.", cause: coded("ETIMEDOUT") });
    expect(explained(silent)).toEqual({ code: "upstream-timeout", message: "No.", hint: "Look.", permanent: false });
    expect(explained(new AppError({ code: "bad-config", message: "No.", hint: "Look." }), true)).toEqual({ code: "bad-config", message: "No.", hint: "Look.", permanent: true });
  });
});
