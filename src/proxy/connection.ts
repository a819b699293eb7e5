// One connection to the upstream: writes a request, hands on its answer, and is free for the next one when both
// are complete and the server agrees. Whatever else happens ends the connection, and the call on it, once.
import type { Socket } from "node:net";

import { ResponseParser } from "./response-parser.ts";
import type { ResponseSink } from "./response-parser.ts";
import type { BodySink, Upload } from "./streamed-body.ts";
import { wireFault } from "../http/wire-fault.ts";
import { chunkSize, lastChunk, writeTogether } from "../http/write-together.ts";

/** A request that is ready to be written, and who waits for its answer. */
export type Carried = ResponseSink & {
  readonly method: string;
  readonly head: string;
  readonly body: Buffer | Upload | null;
  /** `connection` writes it now. */
  onSent(connection: Connection): void;
  /** Everything that one read brought was handed on. */
  onRead(): void;
  /** The last call, like `onError`. */
  onEnd(): void;
  onError(error: unknown): void;
};

/** Where connections come from and go back to. */
export type ConnectionHome = {
  /** May serve another request. `hint` is the server's `Keep-Alive`. */
  onFree(connection: Connection, hint: string | null): void;
  /** Its socket is closed. */
  onGone(connection: Connection): void;
};

// What the kernel has not taken of an upload. Node asks to wait after 16 or 64 KiB, even when all of it is gone already.
const mostQueuedBytes = 256 * 1024;
/**
 * A read of this size has more behind it that comes in the same turn (libuv reads again at once when its 64 KiB were
 * filled): written with it, 85 KB cost a fifth less and arrive sooner, because each write may have to wake the server.
 */
const bulkBytes = 32 * 1024;

/** A connected socket that carries one call at a time; `drop` ends it silently, `breakOff` with an error for the call, `close` also waits for the socket. */
export class Connection implements BodySink {
  /** Among the open ones. */
  place = -1;
  /** Monotonic: not to be used again from then on. */
  idleUntil = 0;
  /** Which renewal it belongs to. */
  readonly generation: number;
  private readonly socket: Socket;
  private readonly home: ConnectionHome;
  private readonly parser = new ResponseParser();
  private call: Carried | null = null;
  /** The body that is still being written. */
  private upload: Upload | null = null;
  private held = false;
  /** Pieces wait for what comes in the same turn. */
  private gathering = false;
  /** Its socket may be written to. */
  isOpen = true;

  /** `socket` is connected. */
  constructor(socket: Socket, home: ConnectionHome, generation: number) {
    this.socket = socket;
    this.home = home;
    this.generation = generation;
    // Whoever waits for an answer has a connection of its own.
    socket.unref();
    socket.on("data", (bytes: Buffer) => this.onBytes(bytes));
    socket.on("end", () => this.onFin());
    socket.on("drain", () => this.onDrain());
    socket.on("error", (error) => this.breakOff(error));
    socket.once("close", () => {
      this.breakOff(wireFault("CONNECTION_CLOSED", "the connection closed"));
      home.onGone(this);
    });
  }

  get isFlushed(): boolean {
    return this.socket.writableLength === 0;
  }

  carry(call: Carried): void {
    this.call = call;
    this.parser.begin(call.method);
    call.onSent(this);
    const { head, body } = call;
    if (body === null) this.socket.write(head, "latin1");
    else if (Buffer.isBuffer(body)) writeTogether(this.socket, { before: head, bytes: body, behind: "" });
    else this.startUpload(head, body);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends the connection and resolves when its socket is closed. */
  close(error: unknown): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once("close", () => resolve());
      this.breakOff(error);
    });
  }

  /** Ends the connection; whoever is carried fails with `error`. */
  breakOff(error: unknown): void {
    const { call } = this;
    this.drop();
    call?.onError(error);
  }

  /** Ends the connection; whoever is carried hears nothing more. */
  drop(): void {
    this.call = null;
    this.isOpen = false;
    this.parser.stop();
    this.endUpload();
    this.socket.destroy();
  }

  /** A piece of the upload; false asks to wait for `resume`. */
  write(piece: Buffer): boolean {
    const { socket } = this;
    const isBulk = piece.length >= bulkBytes;
    if (isBulk) this.gather();
    if (this.upload?.length === null) writeTogether(socket, { before: chunkSize(piece), bytes: piece, behind: "\r\n" });
    else socket.write(piece);
    if (!isBulk || socket.writableLength > mostQueuedBytes) this.letGo();
    this.held = socket.writableLength > mostQueuedBytes;
    return !this.held;
  }

  /** The upload is complete. */
  end(): void {
    if (this.upload?.length === null) this.socket.write(lastChunk, "latin1");
    this.upload = null;
    this.letGo();
  }

  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    this.socket.cork();
    setImmediate(this.letGo);
  }

  private readonly letGo = (): void => {
    if (!this.gathering) return;
    this.gathering = false;
    this.socket.uncork();
  };

  // What the client has sent already leaves with the head in one packet.
  private startUpload(head: string, upload: Upload): void {
    const { socket } = this;
    this.upload = upload;
    this.held = false;
    socket.cork();
    socket.write(head, "latin1");
    upload.start(this);
    socket.uncork();
  }

  private onDrain(): void {
    if (!this.held) return;
    this.held = false;
    this.upload?.resume();
  }

  /** What the socket has read. */
  onBytes(bytes: Buffer): void {
    const { call } = this;
    // Nobody asked: such bytes would be taken for the beginning of the next answer.
    if (call === null) return this.drop();
    let clean: boolean;
    try {
      clean = this.parser.push(bytes, call);
    } catch (error) {
      return this.breakOff(error);
    }
    if (this.call !== call) return;
    if (this.parser.isComplete) this.finish(call, clean && this.parser.keepsAlive);
    else call.onRead();
  }

  private onFin(): void {
    const { call } = this;
    if (call === null) return this.drop();
    try {
      this.parser.finish();
    } catch (error) {
      return this.breakOff(error);
    }
    this.finish(call, false);
  }

  // An answer before the end of the upload leaves the server waiting for the rest: only a new connection is sure.
  private finish(call: Carried, reusable: boolean): void {
    if (!reusable || this.upload !== null || !this.isOpen) this.drop();
    else this.free();
    call.onEnd();
  }

  private free(): void {
    this.call = null;
    this.socket.resume();
    this.home.onFree(this, this.parser.keepAliveHint);
  }

  private endUpload(): void {
    const { upload } = this;
    this.upload = null;
    upload?.stop(this);
  }
}
