// What the simulated server saw, for tests and for the demo: every request with its body's digest, how far its
// answer went, and whether the client left. Bounded: old bodies go first, then old requests.
import type { Header } from "./reply.ts";

/** One request as it was seen. The object is live: fields change until `finished`. */
export type SeenRequest = {
  readonly id: string;
  /** Wall milliseconds. */
  readonly at: number;
  /** Counts accepted connections from 1. */
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  /** At most `keepBodyBytes` of it. */
  readonly body: Buffer;
  readonly bodyLength: number;
  /** Of the whole body; null until it is complete, and always in fast mode. */
  readonly bodySha256: string | null;
  readonly bodyComplete: boolean;
  /** Id of the simulated person whose credential came with it, live or not. */
  readonly account: string | null;
  readonly status: number | null;
  readonly responseHeaders: readonly Header[];
  /** Bytes of the response body handed to the socket. */
  readonly bytesSent: number;
  readonly streaming: boolean;
  readonly finished: boolean;
  /** The client left before the answer was complete; `leftAtByte` is `bytesSent` at that moment. */
  readonly aborted: boolean;
  readonly leftAtByte: number | null;
};

export type TokenCalls = { readonly authorization_code: number; readonly refresh_token: number; readonly other: number };

export type Journal = ReturnType<typeof createJournal>;

const bodyBudgetBytes = 64 * 1024 * 1024;

/** `keepRequests` bounds the list of requests. */
export const createJournal = (keepRequests: number) => {
  const requests: SeenRequest[] = [];
  const unfinished = new Set<SeenRequest>();
  const tokenCalls = { authorization_code: 0, refresh_token: 0, other: 0 };
  const watchers = new Set<() => void>();
  let bodyBytes = 0;
  let total = 0;

  const changed = (): void => {
    for (const look of watchers) look();
  };

  const forgetBodies = (): void => {
    for (const old of requests) {
      if (bodyBytes <= bodyBudgetBytes) return;
      bodyBytes -= old.body.length;
      (old as Mutable<SeenRequest>).body = Buffer.alloc(0);
    }
  };

  return {
    requests: requests as readonly SeenRequest[],
    total: () => total,
    /** Requests whose answer has not ended. */
    open: (): ReadonlySet<SeenRequest> => unfinished,
    tokenCalls: (): TokenCalls => ({ ...tokenCalls }),
    add(seen: SeenRequest): Exchange {
      total += 1;
      requests.push(seen);
      unfinished.add(seen);
      if (requests.length > keepRequests) bodyBytes -= requests.shift()?.body.length ?? 0;
      changed();
      return createExchange(seen, changed, () => unfinished.delete(seen));
    },
    keepBody(exchange: Exchange, part: Pick<SeenRequest, "body" | "bodyLength" | "bodySha256" | "bodyComplete">): void {
      bodyBytes += part.body.length;
      forgetBodies();
      exchange.update(part);
    },
    /** Called once for each token request whose body arrived. */
    countTokenCall(grant: keyof TokenCalls): void {
      tokenCalls[grant] += 1;
      changed();
    },
    /** Call it after a change that is not the journal's own: a connection that comes or goes. */
    changed,
    /** Looks at `predicate` after every change; rejects after `deadlineMs` of real time with `what` was waited for. */
    waitFor: (predicate: () => boolean, deadlineMs: number, what: string): Promise<void> =>
      new Promise((resolve, reject) => {
        if (predicate()) return resolve();
        // Real time on purpose: a deadline has to pass even when a test holds the clock still.
        const timer = setTimeout(() => end(() => reject(new Error(`not seen within ${deadlineMs} ms: ${what}`))), deadlineMs);
        const look = (): void => {
          try {
            if (predicate()) end(resolve);
          } catch (error) {
            // The predicate's fault belongs to the test that waits, not to the request that was looked at.
            end(() => reject(error as Error));
          }
        };
        const end = (finish: () => void): void => {
          watchers.delete(look);
          clearTimeout(timer);
          finish();
        };
        watchers.add(look);
        return undefined;
      }),
  };
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The writing side of one `SeenRequest`. */
export type Exchange = ReturnType<typeof createExchange>;

const createExchange = (seen: Mutable<SeenRequest>, changed: () => void, ended: () => void) => {
  let cutByServer = false;
  return {
    seen: seen as SeenRequest,
    update(part: Partial<SeenRequest>): void {
      Object.assign(seen, part);
      changed();
    },
    begin(status: number | null, headers: readonly Header[]): void {
      const streaming = headers.some(([name, value]) => name.toLowerCase() === "content-type" && value.startsWith("text/event-stream"));
      Object.assign(seen, { status, responseHeaders: headers, streaming });
      changed();
    },
    sent(bytes: number): void {
      seen.bytesSent += bytes;
      changed();
    },
    /** The server ends this answer itself: the close that follows is not the client's. */
    cut(): void {
      cutByServer = true;
    },
    closed(complete: boolean): void {
      if (seen.finished) return;
      seen.finished = true;
      ended();
      if (!complete && !cutByServer) Object.assign(seen, { aborted: true, leftAtByte: seen.bytesSent });
      changed();
    },
  };
};
