// What went wrong on the way to the upstream, in words a person can act on. Pure. Messages are built from
// codes and from the upstream's own host name, never from an error's text: that may quote anything.
import { assertNever } from "../lib/assert-never.ts";
import { AppError } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import { isCertificateFault } from "./certificate-fault.ts";

export type Explanation = {
  readonly code: Extract<ErrorCode, "upstream-unreachable" | "upstream-timeout" | "upstream-broken" | "bad-request" | "bad-config" | "unsafe-settings">;
  /** The lower layer's own code, such as `ENOTFOUND`: distinct for every kind of failure. */
  readonly reason: string;
  readonly message: string;
  readonly hint: string;
  /** Trying again cannot help. */
  readonly permanent: boolean;
};

/** Where and when it happened. */
export type FailureScene = { readonly origin: string; readonly sent: boolean };

const says = (code: Explanation["code"], message: string, hint: string, permanent = false): Omit<Explanation, "reason"> => ({ code, message, hint, permanent });

const network = "Check the network; the next request tries again.";

/** `error` as Node, the tunnel or our own reading of the answer gave it. */
export const explain = (error: unknown, scene: FailureScene): Explanation => {
  if (error instanceof AppError) return fromTunnel(error);
  const reason = reasonOf(error);
  return { reason, ...(scene.sent ? afterSending(reason, scene.origin) : beforeSending(reason, scene.origin)) };
};

const fromTunnel = ({ code, message, hint = network, cause }: AppError): Explanation => {
  const reason = cause === undefined ? code : reasonOf(cause);
  return { code: ourOwn.find((own) => own === code) ?? "upstream-unreachable", reason, message, hint, permanent: cause === undefined || isCertificateFault(reason) };
};

const ourOwn = ["bad-config", "unsafe-settings", "upstream-timeout"] as const;

const beforeSending = (reason: string, origin: string): Omit<Explanation, "reason"> => {
  const group = groups.get(reason);
  switch (group) {
    case "name":
      return says("upstream-unreachable", `The name of ${origin} could not be looked up (${reason}).`, "Check DNS and the network, or upstream.baseUrl.");
    case "refused":
      return says("upstream-unreachable", `${origin} refused the connection (${reason}).`, "Check upstream.baseUrl, a firewall or a VPN.");
    case "slow":
      return says("upstream-timeout", `No connection to ${origin} within the time limit (${reason}).`, "Check the network; the limit is upstream.connectTimeoutMs.");
    case "route":
      return says("upstream-unreachable", `There is no route to ${origin} (${reason}).`, network);
    case "files":
      return says("upstream-unreachable", `No more files may be opened, so no connection to ${origin} (${reason}).`, "Raise the limit of open files (ulimit -n).");
    case "request":
      return says("bad-request", `The request cannot be sent on as it is (${reason}).`, "Check the method and the header fields.", true);
    case undefined:
      return unnamed(reason, origin);
    default:
      return assertNever(group);
  }
};

const groups = new Map<string, "name" | "refused" | "slow" | "route" | "files" | "request">([
  ["ENOTFOUND", "name"],
  ["EAI_AGAIN", "name"],
  ["EAI_NODATA", "name"],
  ["ECONNREFUSED", "refused"],
  ["UND_ERR_CONNECT_TIMEOUT", "slow"],
  ["ETIMEDOUT", "slow"],
  ["ENETUNREACH", "route"],
  ["EHOSTUNREACH", "route"],
  ["ENETDOWN", "route"],
  ["EMFILE", "files"],
  ["ENFILE", "files"],
  ["INVALID_REQUEST", "request"],
]);

/** Nobody listens there, which is known at once. `reason` as in `Explanation`. */
export const isRefusal = (reason: string): boolean => groups.get(reason) === "refused";

const unnamed = (reason: string, origin: string): Omit<Explanation, "reason"> => {
  if (isCertificateFault(reason)) return badCertificate(reason, origin);
  return /^(?:ERR_(?:TLS|SSL)_|EPROTO$)/.test(reason)
    ? says("upstream-unreachable", `No TLS connection with ${origin} could be agreed (${reason}).`, "Something else may be listening there: check upstream.baseUrl.")
    : says("upstream-unreachable", `No connection to ${origin} (${reason}).`, network);
};

const badCertificate = (reason: string, origin: string): Omit<Explanation, "reason"> =>
  says("upstream-unreachable", `The certificate of ${origin} is not trusted (${reason}); nothing was sent.`, "If a company proxy opens TLS, name its certificate authority with upstream.caFile.", true);

const afterSending = (reason: string, origin: string): Omit<Explanation, "reason"> => {
  switch (reason) {
    case "HEADERS_TOO_LARGE":
      return says("upstream-broken", `${origin} sent more than 64 KiB of header fields (${reason}).`, "The answer is not usable.");
    case "INTERIM_FLOOD":
      return says("upstream-broken", `${origin} sent one interim answer after another (${reason}).`, "The answer is not usable.");
    case "SHORT_BODY":
      return says("upstream-broken", `${origin} ended its answer before it was complete (${reason}).`, "Send the request again.");
    case "BAD_STATUS_LINE":
    case "BAD_HEADER_FIELD":
    case "BAD_CONTENT_LENGTH":
    case "BAD_TRANSFER_ENCODING":
    case "BAD_CHUNK":
    case "UNEXPECTED_UPGRADE":
      return says("upstream-broken", `${origin} did not answer in correct HTTP (${reason}).`, "Something else may be listening there: check upstream.baseUrl and any proxy between.");
    default:
      return says("upstream-broken", `${origin} closed the connection before its answer was complete (${reason}).`, "Send the request again.");
  }
};

const reasonOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code)) return error.code;
  // Several addresses were tried: the first failure speaks for all.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return "cause" in error ? reasonOf(error.cause) : "UNKNOWN";
};
