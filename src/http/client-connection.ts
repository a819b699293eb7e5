// One connection of a client: reads its requests one after another, and lets the next begin when the last is read and
// its answer is out. Requests that come early (pipelining) wait here. However it ends, it ends here.
import type { Socket } from "node:net";

import { BodyReceiver } from "./body-receiver.ts";
import { Closing } from "./closing.ts";
import type { ConnectionHome, ConnectionLimits } from "./connection-home.ts";
import { HeadReader } from "./head-reader.ts";
import { readRequestHead } from "./request-head.ts";
import { HttpRequest } from "./request.ts";
import type { BodySource } from "./request.ts";
import { HttpResponse } from "./response.ts";
import type { AnswerWay } from "./response.ts";
import { wireFault } from "./wire-fault.ts";
import type { WireFault } from "./wire-fault.ts";

/** Bytes of later requests that wait while one is answered. */
const mostHeldBytes = 64 * 1024;

type Exchange = { readonly request: HttpRequest | null; readonly response: HttpResponse; isAnnounced: boolean };

export class ClientConnection implements BodySource, AnswerWay {
  /** Among the open ones. */
  place = -1;
  readonly socket: Socket;
  private readonly home: ConnectionHome;
  private readonly head = new HeadReader({ skipsEmptyLines: true });
  private readonly closing: Closing;
  /** Until its request is read and its answer is out. */
  private exchange: Exchange | null = null;
  private receiver: BodyReceiver | null = null;
  private held: Buffer | null = null;
  private draining = false;
  private stopped = false;
  private used = false;
  /** Monotonic: when the present request began, or the connection was last used. */
  private since: number;

  constructor(socket: Socket, home: ConnectionHome) {
    this.socket = socket;
    this.home = home;
    this.since = home.monotonic();
    this.closing = new Closing(socket, home.setTimeout, () => this.destroy());
    socket.on("data", (bytes: Buffer) => this.onBytes(bytes));
    socket.on("end", () => this.onFin());
    socket.on("drain", () => this.exchange?.response.drained());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.onClose());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get keepAliveSeconds(): number {
    return this.home.keepAliveSeconds;
  }

  date(): string {
    return this.home.date();
  }

  /** Ends it unless somebody is being answered. */
  closeIfIdle(): void {
    if (this.exchange === null) this.shut();
  }

  /** Keeps it for no further request. */
  drain(): void {
    this.draining = true;
    if (this.exchange === null) this.shut();
    else if (!this.exchange.response.headSent) this.exchange.response.keepAlive = false;
  }

  /** Ends it now. What looks complete when it ends must not end in good order. */
  destroy(): void {
    const response = this.exchange?.response;
    if (response?.closeDelimited === true && !response.isFinished) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** Ends it when its client takes longer than it may. */
  checkTime(now: number, { headersMs, requestMs, keepAliveMs }: ConnectionLimits): void {
    const spent = now - this.since;
    if (this.closing.hasBegun) return;
    if (this.receiver !== null) {
      if (spent >= requestMs) this.fail(wireFault("REQUEST_TIMEOUT", "the body did not arrive in time"));
    } else if (this.head.hasBegun) {
      if (spent >= headersMs) this.fail(wireFault("REQUEST_TIMEOUT", "the head did not arrive in time"));
    } else if (this.exchange === null && spent >= (this.used ? keepAliveMs : headersMs)) this.shut();
  }

  /** The present request is read faster or slower than before. */
  onPace(): void {
    const stop = this.receiver?.request.isFull === true || (this.held?.length ?? 0) > mostHeldBytes;
    if (stop === this.stopped) return;
    this.stopped = stop;
    if (stop) this.socket.pause();
    else this.socket.resume();
  }

  onEnded(): void {
    this.receiver?.request.discard();
  }

  readonly onWritten = (error?: Error | null): void => {
    const { exchange } = this;
    if (exchange === null || (error !== undefined && error !== null)) return;
    this.close(exchange.response, true);
    if (this.receiver === null) this.goOn(exchange.response);
    else if (!exchange.response.keepAlive) this.closing.limit();
  };

  private onBytes(bytes: Buffer): void {
    if (this.closing.hasBegun) return this.closing.count(bytes.length);
    if (this.receiver !== null) return this.readBody(this.receiver, bytes, 0);
    if (this.exchange === null) return this.readHead(bytes);
    return this.hold(bytes);
  }

  private readHead(bytes: Buffer): void {
    const isFirst = !this.head.hasBegun;
    let request: HttpRequest;
    let end: number;
    try {
      end = this.head.read(bytes, 0);
      // Empty lines before it are not yet a request.
      if (isFirst && (end !== -1 || this.head.hasBegun)) this.since = this.home.monotonic();
      if (end === -1) return;
      request = new HttpRequest(readRequestHead(this.head.text), this);
    } catch (fault) {
      return this.fail(fault as WireFault);
    }
    this.begin(request, bytes, end);
  }

  // What came of the body is read before anybody hears of the request: a smuggled one mostly shows its fault there.
  private begin(request: HttpRequest, bytes: Buffer, at: number): void {
    const response = new HttpResponse(request, this);
    if (this.draining) response.keepAlive = false;
    const exchange: Exchange = { request, response, isAnnounced: false };
    this.open(exchange);
    if (!request.isComplete) {
      this.receiver = new BodyReceiver(request);
      this.readBody(this.receiver, bytes, at);
    } else if (at < bytes.length) this.hold(bytes.subarray(at));
    if (this.exchange !== exchange) return;
    exchange.isAnnounced = true;
    this.home.handler.onRequest(request, response);
  }

  private readBody(receiver: BodyReceiver, bytes: Buffer, at: number): void {
    const end = receiver.read(bytes, at);
    if (receiver.fault !== null) return this.fail(receiver.fault);
    if (end < bytes.length) this.hold(bytes.subarray(end));
    if (receiver.isDone) this.endBody(receiver);
    else if (this.exchange?.response.isEnded === true && !this.exchange.response.keepAlive) this.closing.count(end - at);
    this.onPace();
  }

  private endBody({ request }: BodyReceiver): void {
    this.receiver = null;
    request.end();
    if (this.exchange?.response.isClosed === true) this.goOn(this.exchange.response);
  }

  // A copy, and not out of Node's pool: the memory of a read belongs to one request, whose body may give it back.
  private hold(bytes: Buffer): void {
    const before = this.held?.length ?? 0;
    const held = Buffer.allocUnsafeSlow(before + bytes.length);
    this.held?.copy(held);
    bytes.copy(held, before);
    this.held = held;
    this.onPace();
  }

  // The request is read and the answer is out.
  private goOn({ keepAlive }: HttpResponse): void {
    const { held } = this;
    this.exchange = null;
    if (!keepAlive || this.closing.hasBegun) return this.shut();
    this.used = true;
    this.since = this.home.monotonic();
    this.held = null;
    this.onPace();
    if (held !== null) this.readHead(held);
    if (this.draining) this.closeIfIdle();
  }

  private open(exchange: Exchange): void {
    this.exchange = exchange;
    this.home.onCount(1);
  }

  private close(response: HttpResponse, isFinished: boolean): void {
    if (response.isClosed) return;
    this.home.onCount(-1);
    response.close(isFinished);
  }

  // Nothing that comes can be understood, or waited for, any more.
  private fail(fault: WireFault): void {
    if (this.closing.hasBegun) return;
    this.closing.hasBegun = true;
    const { exchange } = this;
    this.receiver = null;
    if (exchange === null) return this.answer(fault, null, null);
    exchange.request?.abort();
    if (exchange.response.isEnded) return this.closing.afterListening();
    if (exchange.response.headSent) return this.destroy();
    this.close(exchange.response, false);
    return this.answer(fault, exchange.request, exchange.isAnnounced ? null : exchange.request);
  }

  private answer(fault: WireFault, asked: HttpRequest | null, unseen: HttpRequest | null): void {
    const response = new HttpResponse({ method: asked?.method ?? null, httpVersion: asked?.httpVersion ?? "1.1", keepAlive: false }, this);
    this.open({ request: null, response, isAnnounced: true });
    this.home.handler.onFault(fault, response, unseen);
    this.closing.limit();
  }

  private shut(): void {
    if (!this.closing.hasBegun && this.held === null) return this.closing.afterSending();
    this.held = null;
    this.onPace();
    return this.closing.afterListening();
  }

  // A client that has closed its side waits for no answer; one that is out already may still reach it.
  private onFin(): void {
    if (this.exchange === null && this.head.hasBegun) return this.fail(wireFault("CONNECTION_CLOSED", "the connection ended within a head"));
    const isAnswered = this.exchange === null || (this.exchange.response.isEnded && this.receiver === null);
    this.closing.hasBegun = true;
    if (isAnswered) this.closing.afterSending();
    else this.destroy();
  }

  private onClose(): void {
    const { exchange } = this;
    this.closing.end();
    this.receiver = null;
    this.held = null;
    this.exchange = null;
    if (exchange?.request?.isComplete === false) exchange.request.abort();
    if (exchange !== null) this.close(exchange.response, false);
    this.home.onGone(this);
  }
}
