// What comes after an attempt: relay its answer, ask for a newer token after a 401, wait and try again, try another
// account, or give up. Every one of these decisions is made here and nowhere else. Pure. A request that may have been
// executed is never repeated: a second POST to the Messages API costs the user a second time.

export type RetrySettings = {
  readonly maxRetries: number;
  /** The pause before the first retry; it doubles. */
  readonly delayMs: number;
  /** Upstream statuses that are tried again too. */
  readonly statuses: readonly number[];
};

/** What is known of a failure. */
export type Failure = {
  /** A connection was made and the request was being written. */
  readonly sent: boolean;
  /** Trying again cannot help: a wrong certificate, a proxy that refuses, a broken setting. */
  readonly permanent: boolean;
  /** No process listens there, which was known at once. */
  readonly refused: boolean;
  /** Nothing was sent because a kept connection ended first: a new one is likely to work. */
  readonly stale: boolean;
};

export type AttemptResult<A, F> = { readonly kind: "answer"; readonly answer: A } | { readonly kind: "failure"; readonly failure: F };

/** What is known of the request itself. */
export type RetryState = {
  /** Retries that were already made. */
  readonly retries: number;
  /** The body can be sent again from its start. */
  readonly replayable: boolean;
  /** The attempt used an OAuth token, and no 401 of this request has asked for a newer one yet. */
  readonly renewable: boolean;
};

export type NextStep<A, F> =
  /** The answer goes to the client as it came. */
  | { readonly do: "relay"; readonly answer: A }
  /** The token was refused: once more with a newer one; when there is none, the answer is relayed. */
  | { readonly do: "renew"; readonly answer: A }
  /** The answer has one of the opted-in statuses: the same again after `ms`. */
  | { readonly do: "wait"; readonly answer: A; readonly ms: number }
  /** Nothing was sent, and the server is not to blame: the same again at once. */
  | { readonly do: "retry"; readonly failure: F }
  /** Nothing was sent: an account with another server may serve at once, else the same again after `ms`. */
  | { readonly do: "other account"; readonly failure: F; readonly ms: number }
  | { readonly do: "give up"; readonly failure: F };

export const nextStep = <A extends { readonly status: number }, F extends Failure>(result: AttemptResult<A, F>, state: RetryState, settings: RetrySettings): NextStep<A, F> => {
  const mayRetry = state.replayable && state.retries < settings.maxRetries;
  const pauseMs = settings.delayMs * 2 ** state.retries;
  if (result.kind === "answer") {
    const { answer } = result;
    if (answer.status === 401 && state.renewable && state.replayable) return { do: "renew", answer };
    return mayRetry && settings.statuses.includes(answer.status) ? { do: "wait", answer, ms: pauseMs } : { do: "relay", answer };
  }
  const { failure } = result;
  // A reused connection that dies before the first byte of the answer looks the same whether or not the upstream had
  // begun to work: the client decides, and `x-should-retry` tells it that it may.
  if (failure.sent || failure.permanent || !mayRetry) return { do: "give up", failure };
  if (failure.stale && state.retries === 0) return { do: "retry", failure };
  // Clients have more patience than we do, and seconds of waiting for "refused" teach nothing: all its retries
  // together take less than the first pause.
  return { do: "other account", failure, ms: failure.refused ? pauseMs / 2 ** settings.maxRetries : pauseMs };
};
