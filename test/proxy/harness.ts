// The forwarder behind a node:http server alone (no admission) on a real socket, with everything it reports at hand.
// `close` is also a test: it fails when a timer, a socket or an unfinished request is left.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { Credential, Credentials } from "../../src/accounts/credentials.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { secret } from "../../src/lib/secret.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Event, EventType } from "../../src/messages/events.ts";
import { createForwarder } from "../../src/proxy/forward.ts";
import type { ForwardSettings } from "../../src/proxy/forward.ts";
import { createUpstream } from "../../src/proxy/upstream.ts";
import type { Upstream, UpstreamSettings } from "../../src/proxy/upstream.ts";
import { createConnections } from "../../src/server/connections.ts";
import { respondError } from "../../src/server/respond.ts";

export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

export type Harness = {
  readonly port: number;
  readonly url: string;
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
  readonly localKey?: Secret;
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
  renew: async () => ({ ok: false, code: "sign-in-needed", message: "nothing newer", hint: "", retryAfterSeconds: null }),
  elsewhere: () => null,
  observe() {},
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
  const upstream = createUpstream({ baseUrl: options.baseUrl, connectTimeoutMs: 2000, connections: 256, proxy: null, ca: null, ...options.out }, options.env ?? {});
  const forward = createForwarder({
    upstream,
    credentials: options.credentials === undefined ? steadyCredentials() : options.credentials,
    localKey: options.localKey ?? null,
    publish(fact) {
      bus.publishBuffered(fact);
      bus.flush();
    },
    clock,
    settings: { ...defaults, ...options.settings },
    respondError,
    ...(options.cut === undefined ? {} : { cut: options.cut }),
  });
  let announced = 0;
  let count = 0;
  const sockets: Socket[] = [];
  const connections = createConnections(clock);
  const server = createServer({ requireHostHeader: false, maxHeaderSize: 65_536 }, (request, response) => {
    announced += 1;
    const requestId = `r${announced}`;
    connections.enqueue({ request, response, requestId }, () => {
      count += 1;
      void forward(request, response, {
        requestId,
        receivedAt: clock.monotonic(),
        sessionId: request.headersDistinct["x-claude-code-session-id"]?.[0] ?? null,
        headers: options.answerHeaders ?? [],
      });
    });
  });
  server.on("connection", connections.accept).on("connection", (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

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
      const closed = [server.close(), ...sockets.filter((socket) => !socket.closed)].map((each) => once(each, "close"));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
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
