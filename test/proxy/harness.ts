// The forwarder behind the HTTP server alone (no admission) on a real socket, with everything it reports at hand.
// `close` is also a test: it fails when a timer, a socket or an unfinished request is left.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

import type { Credential, Credentials } from "../../src/accounts/credential.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { HttpServer } from "../../src/http/server.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { secret } from "../../src/lib/secret.ts";
import { createBus } from "../../src/messages/bus.ts";
import { meaningOf } from "../../src/messages/errors.ts";
import type { Event, EventType } from "../../src/messages/events.ts";
import type { ForwardSettings, RequestFacts } from "../../src/proxy/deps.ts";
import { createForwarder } from "../../src/proxy/forward.ts";
import { createUpstream } from "../../src/proxy/upstream.ts";
import type { Upstream, UpstreamSettings } from "../../src/proxy/upstream.ts";

export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

export type Harness = {
  readonly port: number;
  readonly url: string;
  readonly server: HttpServer;
  /** The accepted sockets, in their order. */
  readonly sockets: readonly Socket[];
  readonly upstream: Upstream;
  readonly events: readonly Event[];
  of<T extends EventType>(type: T): readonly EventOf<T>[];
  /** Resolves once `count` requests (1) have finished. */
  finished(count?: number): Promise<readonly EventOf<"request.finished">[]>;
  /** Resolves once `check` holds; looks at every event. */
  until(check: () => boolean): Promise<void>;
  /** Requests that were handed to the forwarder. */
  inFlight(): number;
  close(): Promise<void>;
};

export type HarnessOptions = {
  readonly baseUrl: string;
  readonly settings?: Partial<ForwardSettings>;
  readonly out?: Partial<UpstreamSettings>;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly credentials?: Credentials | null;
  readonly cut?: AbortSignal;
  readonly answerHeaders?: readonly string[];
};

export const aCredential = (token = "upstream-token", kind: Credential["kind"] = "oauth"): Credential => ({
  accountId: "main",
  kind,
  token: secret(token),
  baseUrl: null,
  reason: "only",
});

/** Hands out one credential; a renewal finds nothing newer. */
export const steadyCredentials = (credential = aCredential()): Credentials => ({
  acquire: () => ({ ok: true, credential }),
  renew: async () => ({ ok: false, code: "sign-in-needed", message: "nothing newer", retryAfterSeconds: null }),
  elsewhere: () => null,
  learn() {},
});

const defaults: ForwardSettings = {
  maxBodyBytes: 64 * 1024 * 1024,
  headersTimeoutMs: 600_000,
  bodyIdleTimeoutMs: 0,
  silenceSeconds: 900,
  retry: { maxRetries: 0, delayMs: 1, statuses: [] },
  models: { default: null, map: null },
  accountId: null,
};

export const openHarness = async (options: HarnessOptions): Promise<Harness> => {
  const clock = countingClock(options.clock ?? createSystemClock());
  const events: Event[] = [];
  const bus = createBus(clock);
  const watchers = new Set<() => void>();
  bus.subscribe((event) => {
    events.push(event);
    for (const look of watchers) look();
  });
  const upstream = createUpstream({ baseUrl: options.baseUrl, connectTimeoutMs: 2000, connections: 256, proxy: null, ca: null, ...options.out }, options.env ?? {}, clock);
  const forward = createForwarder({
    upstream,
    credentials: options.credentials === undefined ? steadyCredentials() : options.credentials,
    publish: bus.publish,
    publishBuffered: bus.publishBuffered,
    clock,
    settings: { ...defaults, ...options.settings },
    respondError,
    ...(options.cut === undefined ? {} : { cut: options.cut }),
  });
  let count = 0;
  const sockets: Socket[] = [];
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) sockets.push(socket);
  };
  // Published for every accepted connection of the process (documentation of node:diagnostics_channel).
  subscribe("net.server.socket", onSocket);
  const server = createHttpServer({ clock, limits: { headersMs: 15_000, requestMs: 600_000, keepAliveMs: 600_000, checkMs: 2000 }, onTrouble() {} });
  const port = await server.listen({ host: "127.0.0.1", port: 0 }, () => ({
    onRequest(request, response) {
      count += 1;
      if (request.valuesOf("expect").length > 0) response.writeContinue();
      const facts: RequestFacts = {
        requestId: `r${count}`,
        receivedAt: clock.monotonic(),
        sessionId: request.valuesOf("x-claude-code-session-id")[0] ?? null,
        ...(options.answerHeaders === undefined ? {} : { answerHeaders: options.answerHeaders }),
      };
      forward(request, response, facts);
    },
    onFault(_, response) {
      response.writeHead(400, []);
      response.end();
    },
  }));

  const of = <T extends EventType>(type: T) => events.filter((event): event is EventOf<T> => event.type === type);
  const until = (check: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!check()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    sockets,
    upstream,
    events,
    of,
    until,
    inFlight: () => count - of("request.finished").length,
    async finished(wanted = 1) {
      await until(() => of("request.finished").length >= wanted);
      return of("request.finished");
    },
    async close() {
      unsubscribe("net.server.socket", onSocket);
      server.stop();
      server.cut();
      await server.drain();
      await upstream.close();
      const open = new Set(of("attempt.started").map(({ requestId }) => requestId));
      for (const { requestId } of of("request.finished")) {
        if (!open.delete(requestId)) open.add(`${requestId} finished without an attempt or twice`);
      }
      const late = lateEvents(events);
      if (late.length > 0) throw new Error(`after the end: ${late.join(", ")}`);
      const left = { timers: clock.running(), unfinished: [...open].filter((id) => !withoutAttempt(events, id)) };
      if (left.timers > 0 || left.unfinished.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
    },
  };
};

/** Nothing may be said of a request that has ended. */
const lateEvents = (events: readonly Event[]): string[] => {
  const over = new Set<string>();
  const late: string[] = [];
  for (const event of events) {
    if (!("requestId" in event)) continue;
    if (over.has(event.requestId)) late.push(`${event.type} of ${event.requestId}`);
    if (event.type === "request.finished") over.add(event.requestId);
  }
  return late;
};

// Refused before any attempt: finished once, and that is right.
const withoutAttempt = (events: readonly Event[], note: string): boolean => {
  const id = note.split(" ")[0];
  const count = (type: EventType): number => events.filter((event) => event.type === type && "requestId" in event && event.requestId === id).length;
  return count("attempt.started") === 0 && count("request.finished") === 1;
};

const respondError: Parameters<typeof createForwarder>[0]["respondError"] = (response, { code, message, hint, requestId }) => {
  const { status, type } = meaningOf(code);
  const body = JSON.stringify({ type: "error", error: { type, message: `${message} ${hint ?? ""}` }, request_id: requestId });
  response.writeHead(status, ["content-type", "application/json", "x-claude-oauth-proxy-error", code]);
  response.end(body);
};

/** Counts the timers that are running. */
const countingClock = (clock: Clock): Clock & { running(): number } => {
  let running = 0;
  const counted = (start: (done: () => void) => { cancel(): void }) => {
    let over = false;
    const done = (): void => {
      if (!over) running -= 1;
      over = true;
    };
    running += 1;
    const timer = start(done);
    return {
      cancel() {
        done();
        timer.cancel();
      },
    };
  };
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    running: () => running,
    setTimeout: (callback, ms) =>
      counted((done) =>
        clock.setTimeout(() => {
          done();
          callback();
        }, ms),
      ),
    setInterval: (callback, ms) => counted(() => clock.setInterval(callback, ms)),
  };
};
