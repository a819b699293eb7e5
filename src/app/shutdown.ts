// The orderly end: no new request, open ones may finish, a refresh in flight is waited for, then everything
// is closed. A second wish to stop cuts the first one short.
import type { Server } from "../server/listen.ts";
import type { Ground } from "./ground.ts";

export type Shutdown = {
  /** The server listens from now on: only then is there something to report. */
  started(): void;
  stop(reason: string): Promise<void>;
  readonly stopped: Promise<void>;
};

export type ShutdownDeps = {
  readonly ground: Ground;
  readonly server: Pick<Server, "close" | "inFlight">;
  readonly drainSeconds: number;
  readonly stopTimers: () => void;
};

export const createShutdown = ({ ground, server, drainSeconds, stopTimers }: ShutdownDeps): Shutdown => {
  const { bus, clock, store } = ground;
  let startedAt: number | null = null;
  let running: Promise<void> | null = null;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();

  const run = async (reason: string): Promise<void> => {
    if (startedAt !== null) bus.publish({ type: "server.stopping", reason, inFlight: server.inFlight(), drainSeconds });
    stopTimers();
    await server.close(drainSeconds * 1000);
    if (startedAt !== null) {
      const uptimeSeconds = Math.round((clock.monotonic() - startedAt) / 1000);
      bus.publish({ type: "server.stopped", requestsTotal: store.snapshot().requests.total, uptimeSeconds });
    }
    await ground.close();
    resolve();
  };

  return {
    started() {
      startedAt = clock.monotonic();
    },
    stop(reason) {
      if (running !== null) void server.close(0);
      running ??= run(reason);
      return running;
    },
    stopped,
  };
};
