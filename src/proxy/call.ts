// One HTTP exchange with the upstream as the rest of the proxy sees it, on top of undici's raw dispatch
// handler: every quirk of that handler is met here and nowhere else. It never touches bytes.

import type { Guest, Slots } from "./slots.ts";

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

// More than any server has a reason to send; each is up to the header limit, so a flood must end.
const mostInterimAnswers = 16;

/** Where a call is made: the places of one origin, and the way to send. */
export type Line<Request> = { readonly slots: Slots; dispatch(request: Request, handler: PooledCall<Request>): void };

/**
 * A call and, for undici, its handler (`Dispatcher.DispatchHandler`), in one object: with a closure for each of
 * their functions a request cost 2 KiB more. It leaves its place among the plain connections once: at its end, at
 * an abort, or as soon as the answer is an event stream.
 */
export class PooledCall<Request> implements Call, Guest {
  place: Guest["place"] = "outside";
  private readonly line: Line<Request>;
  private readonly listener: CallListener;
  private request: Request | null;
  private controller: Controller | null = null;
  private over = false;
  private interim = 0;

  constructor(line: Line<Request>, request: Request, listener: CallListener) {
    this.line = line;
    this.request = request;
    this.listener = listener;
  }

  start(): void {
    const { request } = this;
    this.request = null;
    if (request !== null) this.line.dispatch(request, this);
  }

  pause(): void {
    this.controller?.pause();
  }

  resume(): void {
    this.controller?.resume();
  }

  abort(): void {
    if (this.end()) this.controller?.abort(new Error("given up"));
  }

  onRequestStart(started: Controller): void {
    // Throwing is undici's only way to drop a request that waited without closing the good connection.
    if (this.over) throw new Error("given up before it was sent");
    this.controller = started;
    this.listener.onSent();
  }

  onResponseStart(current: Controller, status: number, table: HeaderTable): void {
    if (this.over) return;
    if (status < 200) {
      this.interim += 1;
      // Undici turns an exception here into the end of this call and of its connection.
      if (this.interim > mostInterimAnswers) throw Object.assign(new Error("too many interim answers"), { code: "INTERIM_FLOOD" });
      return;
    }
    if (isEventStream(table)) this.line.slots.leave(this);
    this.listener.onHead(status, Array.isArray(current.rawHeaders) ? (current.rawHeaders as WireHeaders) : [], table);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (!this.over) this.listener.onData(chunk);
  }

  onResponseEnd(): void {
    if (this.end()) this.listener.onEnd();
  }

  onResponseError(_: Controller | null, error: Error): void {
    if (this.end()) this.listener.onError(error);
  }

  private end(): boolean {
    if (this.over) return false;
    this.over = true;
    this.request = null;
    this.line.slots.leave(this);
    return true;
  }
}

const isEventStream = (table: HeaderTable): boolean => {
  const type = table["content-type"];
  return typeof type === "string" && type.startsWith("text/event-stream");
};
