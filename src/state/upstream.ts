// Is the upstream reachable. A run of failed attempts starts with the first and ends with the first
// response of any status: an error answer is still an answer.
import type { Event } from "../messages/events.ts";
import type { UpstreamState } from "./state.ts";

const reachable: UpstreamState = { failingSince: null, failures: 0, code: null, message: null };

/** Folds one event; the same object when nothing changed, so an answer of a healthy upstream costs nothing. */
export const foldUpstream = (upstream: UpstreamState, event: Event): UpstreamState => {
  if (event.type === "response.started") return upstream.failingSince === null ? upstream : reachable;
  if (event.type !== "attempt.failed") return upstream;
  if (wasAnswered(event.code)) return upstream.failingSince === null ? upstream : reachable;
  const { code, message, at } = event;
  return { failingSince: upstream.failingSince ?? at, failures: upstream.failures + 1, code, message };
};

/** An attempt that was given up because of its answer (401, a status of `retry.statuses`), not for want of one. */
export const wasAnswered = (code: string): boolean => code === "unauthorized" || code.startsWith("http-");
