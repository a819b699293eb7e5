// The connections to one origin. The one that was used last is used first, so that after a burst the others run
// out; a request that finds none free opens one, and takes whichever is free first.
import type { Socket } from "node:net";

import type { Clock, Timer } from "../lib/clock.ts";
import { createRoster } from "../lib/roster.ts";
import { Connection } from "./connection.ts";
import type { Carried, ConnectionHome } from "./connection.ts";
import { wireFault } from "../http/wire-fault.ts";

/** Opens a connected (and encrypted) socket; calls back once. What it reads goes to `onBytes`, or else to its listeners. */
export type OpenSocket = (onBytes: (bytes: Buffer) => void, done: OnSocket) => void;
export type OnSocket = (error: Error | null, socket: Socket | null) => void;

// api.anthropic.com's edge closes idle sockets after about 400 s; a hint of the server shortens or lengthens ours.
const idleMs = 55_000;
const longestIdleMs = 60_000;
// A request on its way must not meet the server's own closing.
const hintMarginMs = 2_000;

/** One for each origin, for the life of the program. */
export class Connections implements ConnectionHome {
  private readonly openSocket: OpenSocket;
  private readonly clock: Clock;
  /** Free ones, the one that was used last at the end. */
  private free: Connection[] = [];
  private readonly open = createRoster<Connection>();
  /** Only connections of this one are used again when they become free. */
  private generation = 0;
  /** Requests without a connection; at least as many are being opened. */
  private readonly waiting: Carried[] = [];
  private opening = 0;
  private sweep: { readonly timer: Timer; readonly at: number } | null = null;
  private closed = false;

  constructor(openSocket: OpenSocket, clock: Clock) {
    this.openSocket = openSocket;
    this.clock = clock;
  }

  /** Writes `call` on a free connection, or on the first there is. */
  send(call: Carried): void {
    if (this.closed) return call.onError(closedHere());
    const connection = this.takeFree();
    if (connection !== null) return connection.carry(call);
    this.waiting.push(call);
    this.openOne();
  }

  /** `call` waits no more; when it has a connection already, nothing happens. */
  forget(call: Carried): void {
    const at = this.waiting.indexOf(call);
    if (at !== -1) this.waiting.splice(at, 1);
  }

  /** Uses no present connection for another request. */
  renew(): void {
    this.generation += 1;
    for (const connection of this.free.splice(0)) connection.drop();
  }

  /** Ends every connection; what they carry fails. Resolves when the sockets are closed. */
  async close(): Promise<void> {
    this.closed = true;
    this.renew();
    this.sweep?.timer.cancel();
    for (const call of this.waiting.splice(0)) call.onError(closedHere());
    const closing: Promise<void>[] = [];
    this.open.each((connection) => void closing.push(connection.close(closedHere())));
    await Promise.all(closing);
  }

  onFree(connection: Connection, hint: string | null): void {
    const idle = idleTime(hint);
    if (connection.generation !== this.generation || idle <= 0) return connection.drop();
    const next = this.waiting.shift();
    if (next !== undefined) return connection.carry(next);
    connection.idleUntil = this.clock.monotonic() + idle;
    this.free.push(connection);
    this.sweepAt(connection.idleUntil);
  }

  onGone(connection: Connection): void {
    this.open.remove(connection);
  }

  private takeFree(): Connection | null {
    const now = this.clock.monotonic();
    for (;;) {
      const connection = this.free.pop();
      if (connection === undefined) return null;
      if (connection.isOpen && connection.idleUntil > now) return connection;
      connection.drop();
    }
  }

  private openOne(): void {
    this.opening += 1;
    // Begun before a renewal or the end, it serves who waits for it and nobody else.
    const { generation } = this;
    let connection: Connection | null = null;
    const onBytes = (bytes: Buffer): void => connection?.onBytes(bytes);
    this.openSocket(onBytes, (error, socket) => {
      this.opening -= 1;
      if (socket === null) return this.failOne(error);
      connection = new Connection(socket, this, generation);
      this.open.add(connection);
      const call = this.waiting.shift();
      return call === undefined ? this.onFree(connection, null) : connection.carry(call);
    });
  }

  private failOne(error: Error | null): void {
    if (this.waiting.length > this.opening) this.waiting.shift()?.onError(error ?? closedHere());
  }

  private sweepAt(at: number): void {
    if (this.sweep !== null && this.sweep.at <= at) return;
    this.sweep?.timer.cancel();
    this.sweep = { at, timer: this.clock.setTimeout(() => this.sweepNow(), at - this.clock.monotonic()) };
  }

  private sweepNow(): void {
    this.sweep = null;
    const now = this.clock.monotonic();
    const [over, fresh] = [this.free.filter((one) => one.idleUntil <= now), this.free.filter((one) => one.idleUntil > now)];
    this.free = fresh;
    for (const connection of over) connection.drop();
    if (fresh.length > 0) this.sweepAt(Math.min(...fresh.map((one) => one.idleUntil)));
  }
}

const closedHere = () => wireFault("UPSTREAM_CLOSED", "the way out is closed");

// `Keep-Alive: timeout=5` (RFC 2068 section 19.7.1.1) is seconds.
const idleTime = (hint: string | null): number => {
  const [, seconds] = /timeout=(\d{1,9})/i.exec(hint ?? "") ?? [];
  return seconds === undefined ? idleMs : Math.min(longestIdleMs, Number(seconds) * 1000 - hintMarginMs);
};
