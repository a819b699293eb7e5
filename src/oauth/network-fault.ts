// What a failed fetch says about the one thing that matters for a single-use token: was it sent?
import { visibleText } from "../lib/visible-text.ts";
import { AppError } from "../messages/errors.ts";

export type NetworkFault = { readonly sent: "no" | "maybe"; readonly code: string; readonly message: string };

// Failures that can only happen before the first byte of the request left: name lookup, connecting,
// and the TLS handshake (Node and undici documentation, error codes).
const beforeSending = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_NODATA",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
]);

type Failure = { readonly code?: unknown; readonly syscall?: unknown; readonly message?: unknown; readonly cause?: unknown; readonly errors?: unknown };

/** Reads the chain of causes that `fetch` wraps. Anything not known to be early counts as sent. */
export const networkFault = (error: unknown, host: string): NetworkFault => {
  const chain = causes(error);
  // Our own way out says so when it could not even open a path (an outbound proxy that refuses).
  const blocked = chain.find((failure) => failure instanceof AppError && (failure.code === "upstream-unreachable" || failure.code === "upstream-timeout"));
  if (blocked instanceof AppError) return { sent: "no", code: blocked.code, message: visibleText(blocked.message) };
  const early = chain.some(isEarly);
  const code = chain.map((failure) => failure.code).findLast((found) => typeof found === "string") ?? "network-error";
  const safeCode = visibleText(String(code), 60);
  return early
    ? { sent: "no", code: safeCode, message: `Could not reach ${host}: ${safeCode}.` }
    : { sent: "maybe", code: safeCode, message: `The connection to ${host} broke after the request was sent: ${safeCode}.` };
};

const causes = (error: unknown): readonly Failure[] => {
  const chain: Failure[] = [];
  let next: unknown = error;
  while (typeof next === "object" && next !== null && chain.length < 8) {
    const failure: Failure = next;
    chain.push(failure);
    next = failure.cause;
  }
  return chain;
};

// Several addresses of one name end in one AggregateError: early only if every one of them was.
const isEarly = (failure: Failure): boolean => {
  if (Array.isArray(failure.errors) && failure.errors.length > 0) return failure.errors.every((each) => causes(each).some(isEarly));
  if (typeof failure.code === "string" && beforeSending.has(failure.code)) return true;
  if (failure.syscall === "connect" || failure.syscall === "getaddrinfo") return true;
  return failure.code === "ECONNRESET" && String(failure.message).includes("before secure TLS connection was established");
};
