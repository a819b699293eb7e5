// GET /events: every fact of the program as server-sent events, the same records as `--record`. A reader
// that does not keep up is dropped, so that it can neither fill the memory nor slow the proxy down.
import type { ServerResponse } from "node:http";
import { AppError } from "../messages/errors.ts";
import type { Event } from "../messages/events.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

type Deps = Pick<ApiDeps, "subscribe" | "clock" | "stopping">;

/** Readers at once, and unsent bytes for one of them. */
const most = { readers: 32, unsentBytes: 1_048_576 } as const;
/** Between two comments that show that the stream is alive. */
const heartbeatMs = 15_000;

/** Streams from now on, without replay, until the reader leaves or the server stops. */
export const createEvents = ({ subscribe, clock, stopping }: Deps): Endpoint => {
  let readers = 0;
  return ({ response }) => {
    if (readers >= most.readers) throw new AppError({ code: "rate-limited", message: `${most.readers} readers follow the events already.`, hint: "Close one of them." });
    readers += 1;
    open(response);
    const send = (text: string): void => {
      if (response.destroyed) return;
      if (response.writableLength > most.unsentBytes) response.destroy();
      else response.write(text);
    };
    const unsubscribe = subscribe((event) => send(record(event)), "a reader of /events");
    const heartbeat = clock.setInterval(() => send(": still here\n\n"), heartbeatMs);
    const end = (): void => {
      unsubscribe();
      response.end();
    };
    stopping.addEventListener("abort", end, { once: true });
    response.once("close", () => {
      readers -= 1;
      unsubscribe();
      heartbeat.cancel();
      stopping.removeEventListener("abort", end);
    });
  };
};

const open = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-content-type-options": "nosniff" });
  response.write(": events of claude-oauth-proxy\n\n");
};

// JSON has no line break of its own, so one `data` line holds the record (WHATWG HTML, server-sent events).
const record = (event: Event): string => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
