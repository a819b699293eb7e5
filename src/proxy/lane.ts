// What all requests of one forwarder share, and the one way a request's record is closed.
import type { ForwarderDeps } from "./deps.ts";
import { clientLeft, endingOfAnswer } from "./endings.ts";
import { ok } from "./exchange.ts";
import type { Ending, Exchange } from "./exchange.ts";

export type Lane = ForwarderDeps & {
  /** Ends the exchange: the first call counts. */
  readonly end: (exchange: Exchange, ending: Ending) => void;
};

/** The response is closed, by whichever side. */
export const settle = (lane: Lane, exchange: Exchange): void => {
  const { ending, meter, response } = exchange;
  if (ending === null || !response.isFinished) return lane.end(exchange, clientLeft);
  if (ending !== ok || meter === null) return lane.end(exchange, ending);
  meter.whenSettled(() => lane.end(exchange, endingOfAnswer(exchange)));
};
