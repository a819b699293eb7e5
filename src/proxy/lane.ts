// What all requests of one forwarder share, and the one way a request's record is closed.
import type { ForwarderDeps } from "./deps.ts";
import { clientLeft, endingOfAnswer } from "./endings.ts";
import { isOver, ok } from "./exchange.ts";
import type { Ending, Exchange } from "./exchange.ts";

export type Lane = ForwarderDeps & {
  /** Ends the exchange: the first call counts. */
  readonly end: (exchange: Exchange, ending: Ending) => void;
  /** Sends the head that was just written once it is clear that no byte of the body came with it. */
  readonly flushIfAlone: (exchange: Exchange) => void;
};

const settled = Promise.resolve();

/**
 * The head usually comes with the first bytes of the body: then one packet carries both. (A promise's job,
 * because `queueMicrotask` makes an async resource for each call and costs as much as all of `relayHead`.)
 */
export const createHeadFlush = (): Lane["flushIfAlone"] => {
  let heads: Exchange[] = [];
  const flush = (): void => {
    const due = heads;
    heads = [];
    for (const exchange of due) if (exchange.bytesOut === 0 && !isOver(exchange)) exchange.response.flushHeaders();
  };
  return (exchange) => {
    if (heads.push(exchange) === 1) void settled.then(flush);
  };
};

/** The response is closed, by whichever side. */
export const settle = (lane: Lane, exchange: Exchange): void => {
  const { ending, meter, response } = exchange;
  if (ending === null || !response.writableFinished) return lane.end(exchange, clientLeft);
  if (ending !== ok || meter === null) return lane.end(exchange, ending);
  meter.whenSettled(() => lane.end(exchange, endingOfAnswer(exchange)));
};
