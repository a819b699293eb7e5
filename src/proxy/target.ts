// Is this request target one that may be sent on? The target is an opaque string: it is checked here
// and then sent byte for byte to the fixed origin. It must never be resolved, normalised or joined:
// `new URL("//evil.example/x", base)` and `/\evil.example` leave the base's host.
import type { ErrorCode } from "../messages/errors.ts";

/** `path` is the target without its query, for showing and routing only. */
export type TargetResult =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly code: Extract<ErrorCode, "bad-request" | "not-found">; readonly message: string };

const refuse = (code: "bad-request" | "not-found", message: string): TargetResult => ({ ok: false, code, message });

const visibleAscii = /^[\u0021-\u007e]*$/;

/**
 * Accepts only the origin-form (RFC 9112 section 3.2.1) below `/v1/`, without `/v1/oauth/*`.
 * Absolute, authority and asterisk forms, `//`, `/\`, a fragment and bytes that no URI may hold are a
 * 400; dot segments, empty segments and encoded separators (also when encoded twice) are a 404.
 * `target` is the request line's own text (`HttpRequest.target`), never a rebuilt URL.
 */
export const checkTarget = (target: string): TargetResult => {
  const fault = malformed(target);
  if (fault !== null) return refuse("bad-request", fault);
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const plain = decoded(path);
  if (plain === null) return refuse("bad-request", "The request target is not correctly percent-encoded.");
  if (!path.startsWith("/v1/") || isCrooked(path, plain) || isOauth(plain)) return refuse("not-found", "There is no such path here.");
  return { ok: true, path };
};

const malformed = (target: string): string | null => {
  if (!target.startsWith("/")) return "The request target must be a path, not a URL.";
  if (!visibleAscii.test(target)) return "The request target holds bytes that no URI may hold.";
  if (target[1] === "/" || target[1] === "\\") return "The request target must not name a host.";
  return target.includes("#") ? "The request target must not hold a fragment." : null;
};

const encodedByte = /%([0-9a-f]{2})/gi;

// Decoded until it changes no more, because a back end may decode once more than we expect. Null when a
// `%` is not followed by two hex digits, or when three rounds were not enough.
const decoded = (path: string): string | null => {
  if (!path.includes("%")) return path;
  if (/%(?![0-9a-f]{2})/i.test(path)) return null;
  let text = path;
  for (let round = 0; round < 3; round += 1) {
    const next = text.replace(encodedByte, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (next === text) return text;
    text = next;
  }
  return null;
};

// `..;x` is a dot segment for servers that cut path parameters off.
const dotSegment = /\/\.{1,2}(?:;[^/]*)?(?:\/|$)/;
const harmless = /^[\u0020-\u005b\u005d-\u007e\u0080-\u00ff]*$/;

const isCrooked = (path: string, plain: string): boolean =>
  plain.includes("//") || !harmless.test(plain) || dotSegment.test(plain) || (path !== plain && slashes(path) !== slashes(plain));

// An encoded slash shows as a slash that was not there before.
const slashes = (text: string): number => text.split("/").length;

// The sign-in endpoints of the upstream are not for clients: the credential must never reach them.
const isOauth = (plain: string): boolean => /^\/v1\/oauth(?:[/;]|$)/i.test(plain);
