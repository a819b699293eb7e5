// Says no over HTTP. A refused body is not read: the answer goes out at once, what the client has already
// sent is thrown away for a moment (closing on unread bytes would reset the connection and could destroy
// the answer on its way, RFC 9112 section 9.6), then the connection is closed.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { errorAnswer } from "./respond.ts";
import type { Refusal } from "./respond.ts";

export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export type Refuser = {
  /** Sends `refusal`. Keeps the connection only when nothing of the request is left to be read and `close` is not asked for. */
  refuse(exchange: Exchange, refusal: Refusal, close?: boolean): void;
  /** True for an answer that `refuse` has sent: it ends by itself. */
  hasRefused(response: ServerResponse): boolean;
};

/** Bytes and time a refused upload may still run for. */
const patience = { bytes: 1_048_576, ms: 1000 } as const;

export const createRefuser = (clock: Pick<Clock, "setTimeout">): Refuser => {
  const refused = new WeakSet<ServerResponse>();
  return {
    hasRefused: (response) => refused.has(response),
    refuse(exchange, refusal, close = false) {
      const { request, response } = exchange;
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      refused.add(response);
      const unread = !request.complete && hasBody(request);
      if (unread || close) response.shouldKeepAlive = false;
      const { status, headers, body } = errorAnswer(refusal);
      response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
      if (!unread) response.end(body);
      else discard(exchange, body, clock);
    },
  };
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

const discard = ({ request, response }: Exchange, body: string, clock: Pick<Clock, "setTimeout">): void => {
  response.write(body);
  let seen = 0;
  const cut = (): void => void response.destroy();
  const timer = clock.setTimeout(cut, patience.ms);
  request.on("error", cut).on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > patience.bytes) cut();
  });
  request.once("end", () => response.end());
  response.once("close", () => timer.cancel());
};
