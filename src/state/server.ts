// server.* and config.*: is the proxy up, where, since when, until when.
import type { Event } from "../messages/events.ts";
import type { ServerState } from "./state.ts";

/** Folds one event; the same object when it says nothing about the server. */
export const foldServer = (server: ServerState, event: Event): ServerState => {
  switch (event.type) {
    case "server.listening": {
      const { url, host, port, mode, version, at } = event;
      return { status: "running", url, host, port, mode, version, startedAt: at, stopDeadline: null };
    }
    case "server.stopping":
      return { ...server, status: "stopping", stopDeadline: event.at + event.drainSeconds * 1000 };
    case "server.stopped":
      return { ...server, status: "stopped", stopDeadline: null };
    case "config.loaded":
      return server.mode === event.mode ? server : { ...server, mode: event.mode };
    default:
      return server;
  }
};
