// The open exchanges and connections of one server: how many there are, and how they end when it stops.
// A connection without an open exchange is closed at once; the others may finish their answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export type Exchanges = {
  /** Counts the exchange as open until its answer is closed. */
  add(request: IncomingMessage, response: ServerResponse): void;
  /** Watches `socket` until it is closed. */
  connect(socket: Socket): void;
  open(): number;
  /** The exchanges on `socket` that have no complete answer yet, oldest first. */
  on(socket: Socket): readonly ServerResponse[];
  /** No connection is kept from now on; resolves when the last one is closed. */
  drain(): Promise<void>;
  /** Destroys every connection. */
  cut(): void;
};

/** Everything is forgotten when it closes, so nothing has to be taken out by hand. */
export const createExchanges = (): Exchanges => {
  // An array for each connection: see `roster.ts` for what a set costs that is filled and emptied all day.
  const responses = new Map<Socket, ServerResponse[]>();
  let count = 0;
  let draining = false;
  const waiting = new Set<() => void>();

  const tellIfEmpty = (): void => {
    if (responses.size === 0) for (const empty of waiting) empty();
  };

  const closeIfIdle = (socket: Socket): void => {
    if (responses.get(socket)?.length === 0) socket.destroySoon();
  };

  const remove = (mine: ServerResponse[], response: ServerResponse): void => {
    const place = mine.indexOf(response);
    if (place === -1) return;
    mine.splice(place, 1);
    count -= 1;
  };

  // The request's socket: an answer that waits behind another one (pipelining) has none yet.
  const add = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const mine = responses.get(socket);
    if (mine === undefined) return;
    mine.push(response);
    count += 1;
    if (draining) response.shouldKeepAlive = false;
    // Not `once`: it closes once anyway, and the wrapper is made for every request.
    response.on("close", () => {
      remove(mine, response);
      if (draining) closeIfIdle(socket);
    });
  };

  const connect = (socket: Socket): void => {
    const mine: ServerResponse[] = [];
    responses.set(socket, mine);
    socket.once("close", () => {
      responses.delete(socket);
      count -= mine.splice(0).length;
      if (draining) tellIfEmpty();
    });
  };

  const drain = (): Promise<void> => {
    draining = true;
    const drained = new Promise<void>((resolve) => waiting.add(resolve));
    for (const [socket, open] of responses) {
      for (const response of open) if (!response.headersSent) response.shouldKeepAlive = false;
      closeIfIdle(socket);
    }
    tellIfEmpty();
    return drained;
  };

  return {
    add,
    connect,
    open: () => count,
    on: (socket) => [...(responses.get(socket) ?? [])],
    drain,
    cut() {
      for (const socket of responses.keys()) socket.destroy();
    },
  };
};
