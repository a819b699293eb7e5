// What a failed network call says: one reading of errors of Node, OpenSSL and undici for the proxy, the token endpoint
// and the doctor, and one wording for people. Pure. Sentences are built from codes and from the server's own name, never
// from an error's text, because that text may quote a header or a token.
import { AppError } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";

export type NetworkFailureKind =
  /** The name has no address, or DNS does not answer. */
  | "name-lookup"
  /** No process listens on that port, which is known at once. */
  | "refused"
  | "no-route"
  | "connect-timeout"
  /** The server's certificate was checked and is not trusted. */
  | "certificate"
  /** The TLS handshake, or TLS later on, failed for another reason. */
  | "tls"
  /** This process may not open more files (EMFILE, ENFILE). */
  | "open-files"
  /** The request cannot be written as HTTP/1.1. */
  | "bad-request"
  /** The answer breaks the rules of HTTP/1.1 (RFC 9112). */
  | "bad-response"
  | "response-headers-too-large"
  /** The body ended before its Content-Length. */
  | "short-body"
  /** The connection was made and then nothing came. */
  | "timeout"
  /** The connection was closed or reset. */
  | "closed"
  /** Our side broke the call off. */
  | "aborted"
  /** Our own way out says no, in its own words: an outbound proxy refused the tunnel, a setting is not allowed. */
  | "blocked"
  | "unknown";

export type NetworkFailure = {
  readonly kind: NetworkFailureKind;
  /** The lower layer's own code, such as `ENOTFOUND`; `UNKNOWN` when there is none. Safe to print. */
  readonly code: string;
  /** True only when certainly no byte of the request has left: the name lookup, connecting or the TLS handshake failed. */
  readonly neverSent: boolean;
  /** The error of our own way out, which already names the outbound proxy or the setting. */
  readonly own: AppError | null;
};

/** Reads anything that was thrown. Never throws. What is not certainly early counts as sent. */
export const networkFailure = (error: unknown): NetworkFailure => {
  const chain = causesOf(error);
  const own = chain.find((each) => each instanceof AppError) ?? null;
  const cause = own === null ? chain : chain.slice(chain.indexOf(own) + 1);
  if (own !== null && cause.length === 0) return { kind: "blocked", code: own.code, neverSent: true, own };
  const neverSent = own !== null || cause.some(isEarly);
  const { code, name } = codeOf(cause);
  return { kind: kindOf(code, name, neverSent), code, neverSent, own };
};

type Thrown = { readonly name?: unknown; readonly code?: unknown; readonly syscall?: unknown; readonly message?: unknown; readonly cause?: unknown; readonly errors?: unknown };

/** The error and what caused it: `fetch` wraps twice. The bound also ends a chain that leads back to itself. */
const causesOf = (error: unknown): readonly Thrown[] => {
  const chain: Thrown[] = [];
  for (let next: unknown = error; typeof next === "object" && next !== null && chain.length < 8; next = chain.at(-1)?.cause) chain.push(next);
  return chain;
};

const attemptsOf = ({ errors }: Thrown): readonly unknown[] => (Array.isArray(errors) ? errors : []);

/** The first code in the chain; where several addresses were tried, the first failure speaks for all. */
const codeOf = (chain: readonly Thrown[]): { readonly code: string; readonly name: unknown } => {
  for (const each of chain) {
    if (typeof each.code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(each.code)) return { code: each.code, name: each.name };
    const [first] = attemptsOf(each);
    if (first !== undefined) return codeOf(causesOf(first));
    // undici's HTTPParserError has a code only when llhttp gave one.
    if (each.name === "HTTPParserError" || each.name === "AbortError" || each.name === "TimeoutError") return { code: named[each.name], name: each.name };
  }
  return { code: "UNKNOWN", name: null };
};

const named = { HTTPParserError: "HTTP_PARSER_ERROR", AbortError: "ABORT_ERR", TimeoutError: "TIMEOUT_ERR" } as const;

const kindOf = (code: string, name: unknown, neverSent: boolean): NetworkFailureKind => {
  if (code === "ETIMEDOUT") return neverSent ? "connect-timeout" : "timeout";
  const kind = kinds.get(code);
  if (kind !== undefined) return kind;
  if (isCertificateCode(code)) return "certificate";
  if (/^ERR_(?:TLS|SSL)_/.test(code)) return "tls";
  return name === "HTTPParserError" || code.startsWith("HPE_") ? "bad-response" : "unknown";
};

// Node: errno(3) and dns error codes; undici: docs/api/Errors.md.
const kinds: ReadonlyMap<string, NetworkFailureKind> = new Map<string, NetworkFailureKind>([
  ["ENOTFOUND", "name-lookup"],
  ["EAI_AGAIN", "name-lookup"],
  ["EAI_FAIL", "name-lookup"],
  ["EAI_NODATA", "name-lookup"],
  ["ECONNREFUSED", "refused"],
  ["ENETUNREACH", "no-route"],
  ["EHOSTUNREACH", "no-route"],
  ["ENETDOWN", "no-route"],
  ["EADDRNOTAVAIL", "no-route"],
  ["UND_ERR_CONNECT_TIMEOUT", "connect-timeout"],
  ["EPROTO", "tls"],
  ["EMFILE", "open-files"],
  ["ENFILE", "open-files"],
  ["UND_ERR_INVALID_ARG", "bad-request"],
  ["UND_ERR_NOT_SUPPORTED", "bad-request"],
  ["UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", "bad-request"],
  ["BAD_TRANSFER_ENCODING", "bad-response"],
  ["INTERIM_FLOOD", "bad-response"],
  ["HTTP_PARSER_ERROR", "bad-response"],
  ["UND_ERR_HEADERS_OVERFLOW", "response-headers-too-large"],
  ["HPE_HEADER_OVERFLOW", "response-headers-too-large"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "short-body"],
  ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ["UND_ERR_BODY_TIMEOUT", "timeout"],
  ["TIMEOUT_ERR", "timeout"],
  ["ECONNRESET", "closed"],
  ["EPIPE", "closed"],
  ["UND_ERR_SOCKET", "closed"],
  ["UND_ERR_INFO", "closed"],
  ["UND_ERR_ABORTED", "aborted"],
  ["UND_ERR_DESTROYED", "aborted"],
  ["UND_ERR_CLOSED", "aborted"],
  ["ABORT_ERR", "aborted"],
]);

/** OpenSSL's verification results (X509_V_ERR_* without the prefix) and Node's own check of the name. Alerts of the other side are `ERR_SSL_…`. */
const isCertificateCode = (code: string): boolean =>
  !code.startsWith("ERR_SSL_") && /CERT|CRL_|_SIGNATURE|SELF_SIGNED|ISSUER|^INVALID_(?:CA|PURPOSE)$|^HOSTNAME_MISMATCH$|^PATH_LENGTH_EXCEEDED$/.test(code);

const earlyKinds: ReadonlySet<NetworkFailureKind> = new Set<NetworkFailureKind>(["name-lookup", "refused", "no-route", "connect-timeout", "certificate", "open-files"]);

// Handshake failures that no server can cause after the first byte of the request: a server's alert about a client
// certificate, for one, comes after it in TLS 1.3 (RFC 8446 section 4.4.2.4), and EPROTO may be any of them.
const earlyTls = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
]);

// Several addresses of one name end in one AggregateError: early only when every one of them was.
const isEarly = (each: Thrown): boolean => {
  const attempts = attemptsOf(each);
  if (attempts.length > 0) return attempts.every((attempt) => causesOf(attempt).some(isEarly));
  if (each.syscall === "connect" || each.syscall === "getaddrinfo") return true;
  // A route can also vanish under a connection that is in use.
  if (typeof each.syscall === "string" && /^(?:read|write|shutdown)/.test(each.syscall)) return false;
  const { code } = each;
  if (typeof code !== "string") return false;
  if (code === "ECONNRESET") return String(each.message).includes("before secure TLS connection was established");
  return earlyTls.has(code) || earlyKinds.has(kindOf(code, each.name, false));
};

/** A failure in words, with the code that our own error answer carries. */
export type FailureExplanation = {
  readonly code: Extract<ErrorCode, "upstream-unreachable" | "upstream-timeout" | "upstream-broken" | "bad-request" | "bad-config" | "unsafe-settings">;
  readonly message: string;
  readonly hint: string;
  /** Trying again cannot help. */
  readonly permanent: boolean;
};

/** `server` is a host or an origin. `sent`: the request may have arrived, so the connection broke off instead of not being made. */
export const explainFailure = (failure: NetworkFailure, { server, sent }: { readonly server: string; readonly sent: boolean }): FailureExplanation => {
  const { kind, own } = failure;
  if (own !== null) return inOwnWords(own, kind);
  const { code, say, hint, permanent = false } = sent && !sameWordsAfterSending.has(kind) ? brokenOff : wordings[kind];
  return { code, message: say(server, failure.code), hint, permanent };
};

type Wording = {
  readonly code: FailureExplanation["code"];
  readonly say: (server: string, code: string) => string;
  readonly hint: string;
  readonly permanent?: true;
};

const checkNetwork = "Check the network; the next request tries again.";

const brokenOff: Wording = {
  code: "upstream-broken",
  say: (server, code) => `${server} closed the connection before its answer was complete (${code}).`,
  hint: "Send the request again.",
};

const noConnection: Wording = { code: "upstream-unreachable", say: (server, code) => `No connection to ${server} (${code}).`, hint: checkNetwork };

const tooSlow: Wording = {
  code: "upstream-timeout",
  say: (server, code) => `No connection to ${server} within the time limit (${code}).`,
  hint: "Check the network; the limit is upstream.connectTimeoutMs.",
};

const wordings: Readonly<Record<NetworkFailureKind, Wording>> = {
  "name-lookup": { code: "upstream-unreachable", say: (server, code) => `The name of ${server} could not be looked up (${code}).`, hint: "Check DNS and the network, or upstream.baseUrl." },
  refused: { code: "upstream-unreachable", say: (server, code) => `${server} refused the connection (${code}).`, hint: "Check upstream.baseUrl, a firewall or a VPN." },
  "no-route": { code: "upstream-unreachable", say: (server, code) => `There is no route to ${server} (${code}).`, hint: checkNetwork },
  "connect-timeout": tooSlow,
  timeout: tooSlow,
  certificate: {
    code: "upstream-unreachable",
    say: (server, code) => `The certificate of ${server} is not trusted (${code}); nothing was sent.`,
    hint: "If a company proxy opens TLS, name its certificate authority with upstream.caFile.",
    permanent: true,
  },
  tls: { code: "upstream-unreachable", say: (server, code) => `No TLS connection with ${server} could be agreed (${code}).`, hint: "Something else may be listening there: check upstream.baseUrl." },
  "open-files": { code: "upstream-unreachable", say: (server, code) => `No more files may be opened, so no connection to ${server} (${code}).`, hint: "Raise the limit of open files (ulimit -n)." },
  "bad-request": { code: "bad-request", say: (_server, code) => `The request cannot be sent on as it is (${code}).`, hint: "Check the method and the header fields.", permanent: true },
  "bad-response": {
    code: "upstream-broken",
    say: (server, code) => `${server} did not answer in correct HTTP (${code}).`,
    hint: "Something else may be listening there: check upstream.baseUrl and any proxy between.",
  },
  "response-headers-too-large": { code: "upstream-broken", say: (server, code) => `${server} sent more than 64 KiB of header fields (${code}).`, hint: "The answer is not usable." },
  "short-body": { code: "upstream-broken", say: (server, code) => `${server} ended its answer before it was complete (${code}).`, hint: "Send the request again." },
  closed: noConnection,
  aborted: noConnection,
  blocked: noConnection,
  unknown: noConnection,
};

const sameWordsAfterSending: ReadonlySet<NetworkFailureKind> = new Set<NetworkFailureKind>(["bad-request", "bad-response", "response-headers-too-large", "short-body"]);

// Without a cause the other side, or a setting, has said no: the next try is refused as well.
const inOwnWords = ({ code, message, hint = checkNetwork }: AppError, kind: NetworkFailureKind): FailureExplanation => ({
  code: ownCodes.find((own) => own === code) ?? "upstream-unreachable",
  message,
  hint,
  permanent: kind === "blocked" || kind === "certificate",
});

const ownCodes = ["bad-config", "unsafe-settings", "upstream-timeout"] as const;
