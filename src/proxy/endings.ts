// How a request ended, in the words of its last event. Pure: from what the exchange has seen.
import type { Blame } from "../messages/events.ts";
import { blameUpstream } from "./blame.ts";
import { ok } from "./exchange.ts";
import type { Ending, Exchange } from "./exchange.ts";
import type { Explanation } from "./explain.ts";

const unsaid = { type: null, message: null };

/** The upstream's answer went to the client as a whole. */
export const endingOfAnswer = (exchange: Exchange): Ending => {
  const status = exchange.status ?? 0;
  const error = exchange.meter?.error() ?? null;
  if (status >= 400 || error !== null) {
    return { outcome: "upstream-error", ...blameUpstream({ status, raw: exchange.answerFields, error: error ?? unsaid }) };
  }
  if (exchange.meter?.isIncomplete() !== true) return ok;
  return {
    outcome: "upstream-error",
    blame: "upstream",
    errorCode: "incomplete-stream",
    message: "The stream ended without message_stop.",
    nextStep: "Send the request again.",
  };
};

/** The upstream could not be reached or broke off. */
export const endingOfFailure = ({ code, message, hint }: Explanation): Ending => ({
  outcome: code === "upstream-timeout" ? "timeout" : "failed",
  blame: blames[code],
  errorCode: code,
  message,
  nextStep: hint,
});

const blames: Readonly<Record<Explanation["code"], Blame>> = {
  "upstream-unreachable": "network",
  "upstream-timeout": "network",
  "upstream-broken": "upstream",
  "bad-request": "client",
  "bad-config": "proxy",
  "unsafe-settings": "proxy",
};

export const clientLeft: Ending = {
  outcome: "client-left",
  blame: "client",
  errorCode: null,
  message: "The client closed the connection.",
  nextStep: null,
};

export const shutDown: Ending = {
  outcome: "shutdown",
  blame: "proxy",
  errorCode: "shutting-down",
  message: "The proxy was stopped before the answer was complete.",
  nextStep: "Start the proxy and send the request again.",
};

export const silent: Ending = {
  outcome: "timeout",
  blame: "network",
  errorCode: "upstream-timeout",
  message: "The upstream sent nothing for too long in the middle of its answer.",
  nextStep: "Send the request again; the limit is upstream.silenceSeconds.",
};
