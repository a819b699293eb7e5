// One HTTP exchange with the upstream as the rest of the proxy sees it. It never touches bytes.
import { valueOf } from "../http/fields.ts";
import { isEventStream } from "../lib/http-fields.ts";
import type { Carried, Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { ResponseHead } from "./response-head.ts";
import type { Guest, Slots } from "./slots.ts";
import type { Upload } from "./streamed-body.ts";

/** Called in this order; `onError` may come at any point and, like `onEnd`, is the last call. */
export type CallListener = {
  /** A connection stands and the request is being written: from here on it may have been executed. */
  onSent(): void;
  /** The final status (never 1xx). */
  onHead(head: ResponseHead): void;
  onData(chunk: Buffer): void;
  /** Everything that one read brought was handed on, and it was not the end. */
  onRead(): void;
  onEnd(): void;
  onError(error: unknown): void;
};

/** A call in flight. Nothing is reported after `abort`. */
export type Call = { pause(): void; resume(): void; abort(): void };

/** Where a call is made: the places of one origin, and its connections. */
export type Line = { readonly slots: Slots; readonly connections: Pick<Connections, "send" | "forget"> };

/** What goes over the wire. */
export type Written = { readonly method: string; readonly head: string; readonly body: Buffer | Upload | null };

/**
 * A call, its guest and its carried request in one object: a closure for each of their functions cost 2 KiB a
 * request. It leaves its place among the plain connections once: at its end, at an abort, or as soon as the answer
 * is an event stream.
 */
export class PooledCall implements Call, Guest, Carried {
  place: Guest["place"] = "outside";
  readonly method: string;
  readonly head: string;
  readonly body: Buffer | Upload | null;
  private readonly line: Line;
  private readonly listener: CallListener;
  private connection: Connection | null = null;
  private over = false;

  constructor(line: Line, { method, head, body }: Written, listener: CallListener) {
    this.line = line;
    this.method = method;
    this.head = head;
    this.body = body;
    this.listener = listener;
  }

  start(): void {
    this.line.connections.send(this);
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(): void {
    const { connection } = this;
    if (!this.finish()) return;
    if (connection === null) this.line.connections.forget(this);
    else connection.drop();
  }

  onSent(connection: Connection): void {
    this.connection = connection;
    this.listener.onSent();
  }

  onHead(head: ResponseHead): void {
    if (isEventStream(valueOf(head.raw, "content-type"))) this.line.slots.leave(this);
    this.listener.onHead(head);
  }

  onData(piece: Buffer): void {
    this.listener.onData(piece);
  }

  onRead(): void {
    this.listener.onRead();
  }

  onEnd(): void {
    if (this.finish()) this.listener.onEnd();
  }

  onError(error: unknown): void {
    if (this.finish()) this.listener.onError(error);
  }

  // The connection may carry another call from now on: it is let go of here.
  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    this.connection = null;
    this.line.slots.leave(this);
    return true;
  }
}
