// Answers of our own in place of the upstream's, and what the last event says about them.
import { meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import { endingOfFailure } from "./endings.ts";
import type { Ending, Exchange } from "./exchange.ts";
import type { Explanation } from "./explain.ts";
import type { Lane } from "./lane.ts";

/** An answer of our own instead of the upstream's. */
export const answerFailure = (lane: Lane, exchange: Exchange, failure: { readonly explanation: Explanation; readonly executed: boolean }): void => {
  const { code, message, hint } = failure.explanation;
  // Clients of the API retry by this header; the request may have been executed, so the choice is theirs.
  if (failure.executed) exchange.response.addField("x-should-retry", "true");
  answerOurselves(lane, exchange, { code, message, hint }, endingOfFailure(failure.explanation));
};

/** Answers with our own error envelope and remembers how the request ends once that answer is out. */
export const answerOurselves = (
  lane: Lane,
  exchange: Exchange,
  refusal: { readonly code: ErrorCode; readonly message: string; readonly hint?: string },
  ending: Ending,
): void => {
  const { response, facts } = exchange;
  exchange.stage = "local";
  exchange.ending = ending;
  exchange.status = meaningOf(refusal.code).status;
  const extra = facts.answerHeaders ?? [];
  for (let index = 0; index < extra.length; index += 2) response.addField(extra[index] ?? "", extra[index + 1] ?? "");
  lane.respondError(response, { ...refusal, requestId: facts.requestId });
};
