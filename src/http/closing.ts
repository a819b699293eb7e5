// How the server ends a connection without losing its last answer. Closing on bytes that were not read resets the
// connection and can destroy an answer on its way (RFC 9112 section 9.6): they are read and thrown away for a moment.
import type { Socket } from "node:net";

import type { Timer } from "../lib/clock.ts";

/** What a client may still send, and how long it may take to read its answer. */
const patience = { bytes: 1_048_576, ms: 1000 } as const;

export class Closing {
  /** Nothing more is read as a request. */
  hasBegun = false;
  private readonly socket: Socket;
  private readonly setTimeout: (callback: () => void, ms: number) => Timer;
  private readonly cut: () => void;
  private thrownAway = 0;
  private timer: Timer | null = null;

  /** `cut` destroys the connection. */
  constructor(socket: Socket, setTimeout: (callback: () => void, ms: number) => Timer, cut: () => void) {
    this.socket = socket;
    this.setTimeout = setTimeout;
    this.cut = cut;
  }

  /** Closes when everything was sent. */
  afterSending(): void {
    this.hasBegun = true;
    this.socket.destroySoon();
  }

  /** Closes when everything was sent and the client has had a moment to stop sending. */
  afterListening(): void {
    this.hasBegun = true;
    this.socket.end();
    this.limit();
  }

  /** From now on the client has a moment only. */
  limit(): void {
    this.timer ??= this.setTimeout(this.cut, patience.ms);
  }

  /** So many bytes more were thrown away. */
  count(bytes: number): void {
    this.thrownAway += bytes;
    if (this.thrownAway > patience.bytes) this.cut();
  }

  /** The connection is closed. */
  end(): void {
    this.hasBegun = true;
    this.timer?.cancel();
  }
}
