// When a token should be refreshed, and when to try again after it could not be. Pure.
import type { RefreshReason } from "../messages/events.ts";

export type RefreshSettings = {
  /** Refresh this long before expiry. */
  readonly leadMs: number;
  /** A request waits for the refresh inside this window. */
  readonly mandatoryMs: number;
  /** Refresh at least this often; 0 is off. */
  readonly rotateAfterMs: number;
};

export type TokenAge = {
  /** Milliseconds of life left, negative when expired; null when the token does not say. */
  readonly remainingMs: number | null;
  /** Milliseconds since it was obtained; null when not known. */
  readonly ageMs: number | null;
};

export type RefreshNeed =
  | { readonly need: "none" }
  /** In the background. */
  | { readonly need: "soon"; readonly reason: Extract<RefreshReason, "lead" | "rotate"> }
  /** A request waits for it. */
  | { readonly need: "now"; readonly reason: "mandatory" };

/** An unknown expiry asks for nothing: the server's 401 will. */
export const refreshNeed = ({ remainingMs, ageMs }: TokenAge, settings: RefreshSettings): RefreshNeed => {
  if (remainingMs !== null && remainingMs <= Math.max(0, settings.mandatoryMs)) return { need: "now", reason: "mandatory" };
  if (remainingMs !== null && remainingMs <= settings.leadMs) return { need: "soon", reason: "lead" };
  const rotates = settings.rotateAfterMs > 0 && ageMs !== null && ageMs >= settings.rotateAfterMs;
  return rotates ? { need: "soon", reason: "rotate" } : { need: "none" };
};

export type Failure = {
  /** In a row, this one included. */
  readonly failures: number;
  readonly retryAfterMs: number | null;
  /** The token may be spent: tries are further apart. */
  readonly uncertain: boolean;
  /** 0..1. */
  readonly random: number;
};

const second = 1000;
const longest = 5 * 60 * second;
/** A Retry-After beyond this would lose the session to a typing error of the server. */
const longestAsked = 3600 * second;

/**
 * Milliseconds until the next try: 5 s doubling to 5 min with jitter between the half and the whole;
 * never earlier than a Retry-After (RFC 9110 section 10.2.3), with up to a tenth on top of it, so that
 * many processes do not come back in the same second.
 */
export const backOffMs = ({ failures, retryAfterMs, uncertain, random }: Failure): number => {
  const full = uncertain ? longest * 2 ** Math.min(failures - 1, 3) : Math.min(longest, 5 * second * 2 ** Math.min(failures - 1, 10));
  const own = full * (0.5 + random / 2);
  const asked = Math.min(retryAfterMs ?? 0, longestAsked) * (1 + random / 10);
  return Math.round(Math.max(own, asked));
};
