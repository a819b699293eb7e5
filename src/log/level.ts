// Which event is worth which level. A normal day at `info` is: started, requests, refreshes, sign-ins.
import type { Event, EventType } from "../messages/events.ts";

export type Level = "debug" | "info" | "warn" | "error";

/** What may be asked for: lines of this level and above; `silent` is none at all. */
export type LevelFilter = Level | "silent";

const ranks: Readonly<Record<LevelFilter, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** True when a line of `level` is written under `filter`. */
export const passesLevel = (level: Level, filter: LevelFilter): boolean => ranks[level] >= ranks[filter];

/** The level of one event: fixed by its type, except where the outcome decides. */
export const levelOf = (event: Event): Level => {
  switch (event.type) {
    case "request.finished":
      return event.outcome === "failed" || event.outcome === "timeout" ? "error" : event.outcome === "ok" || event.outcome === "client-left" ? "info" : "warn";
    case "token.refresh-failed":
      return event.nextTryAt === null ? "error" : "warn";
    case "notice":
      return event.level === "warning" ? "warn" : event.level;
    default:
      return levels[event.type];
  }
};

type FixedType = Exclude<EventType, "request.finished" | "token.refresh-failed" | "notice">;

const levels: Readonly<Record<FixedType, Level>> = {
  "server.listening": "info",
  "server.stopping": "info",
  "server.stopped": "info",
  "request.received": "debug",
  "request.rejected": "warn",
  "request.assigned": "debug",
  "attempt.started": "debug",
  "attempt.failed": "warn",
  "response.started": "debug",
  "response.progress": "debug",
  "usage.updated": "debug",
  "limits.updated": "debug",
  "account.added": "info",
  "account.removed": "info",
  "account.enabled": "info",
  "account.disabled": "info",
  "account.changed": "info",
  "account.cooling": "warn",
  "account.healthy": "info",
  "account.needs-login": "error",
  "token.refreshing": "debug",
  "token.refreshed": "info",
  "token.adopted": "info",
  "login.started": "info",
  "login.waiting": "debug",
  "login.succeeded": "info",
  "login.failed": "warn",
  "config.loaded": "debug",
  "clock.jumped": "info",
};
