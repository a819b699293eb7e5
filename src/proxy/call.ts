// One HTTP exchange with the upstream as the rest of the proxy sees it, on top of undici's raw dispatch
// handler: every quirk of that handler is met here and nowhere else. It never touches bytes.

/** Header fields as they stood on the wire: name, value, name, value … */
export type WireHeaders = readonly Buffer[];

/** Lower-case names, for looking things up. */
export type HeaderTable = Readonly<Record<string, string | string[] | undefined>>;

/** Called in this order; `onError` may come at any point and, like `onEnd`, is the last call. */
export type CallListener = {
  /** A connection stands and the request is being written: from here on it may have been executed. */
  onSent(): void;
  /** The final status (never 1xx). */
  onHead(status: number, raw: WireHeaders, table: HeaderTable): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: unknown): void;
};

/** A call in flight. Nothing is reported after `abort`. */
export type Call = { pause(): void; resume(): void; abort(): void };

/** What undici hands out (`Dispatcher.DispatchController`). */
type Controller = { rawHeaders?: unknown; abort(reason: Error): void; pause(): void; resume(): void };

/** What undici wants (`Dispatcher.DispatchHandler`). */
export type DispatchHandler = {
  onRequestStart(controller: Controller): void;
  onResponseStart(controller: Controller, status: number, headers: HeaderTable): void;
  onResponseData(controller: Controller, chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: Controller | null, error: Error): void;
};

// More than any server has a reason to send; each is up to the header limit, so a flood must end.
const mostInterimAnswers = 16;

/**
 * Couples `listener` with a handler for `dispatch`. `onLeave` is called once when the call holds no
 * plain connection any more: at its end, at an abort, or as soon as the answer is an event stream.
 */
export const createCall = (listener: CallListener, onLeave: () => void): { readonly call: Call; readonly handler: DispatchHandler } => {
  let controller: Controller | null = null;
  let over = false;
  let interim = 0;

  const end = (): boolean => {
    if (over) return false;
    over = true;
    onLeave();
    return true;
  };

  const handler: DispatchHandler = {
    onRequestStart(started) {
      // Throwing is undici's only way to drop a request that waited without closing the good connection.
      if (over) throw new Error("given up before it was sent");
      controller = started;
      listener.onSent();
    },
    onResponseStart(current, status, table) {
      if (over) return;
      if (status < 200) {
        interim += 1;
        // Undici turns an exception here into the end of this call and of its connection.
        if (interim > mostInterimAnswers) throw Object.assign(new Error("too many interim answers"), { code: "INTERIM_FLOOD" });
        return;
      }
      if (isEventStream(table)) onLeave();
      listener.onHead(status, Array.isArray(current.rawHeaders) ? (current.rawHeaders as WireHeaders) : [], table);
    },
    onResponseData(_, chunk) {
      if (!over) listener.onData(chunk);
    },
    onResponseEnd() {
      if (end()) listener.onEnd();
    },
    onResponseError(_, error) {
      if (end()) listener.onError(error);
    },
  };

  const call: Call = {
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
    abort() {
      if (end()) controller?.abort(new Error("given up"));
    },
  };
  return { call, handler };
};

const isEventStream = (table: HeaderTable): boolean => {
  const type = table["content-type"];
  return typeof type === "string" && type.startsWith("text/event-stream");
};
