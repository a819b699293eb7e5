// A loopback listener that lives for one sign-in (RFC 8252 sections 7.3 and 8.3), for commands without a running server. It
// answers only GET /callback with our own name in Host, and closes after the first result.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Clock, Timer } from "../lib/clock.ts";
import type { CallbackResult } from "../messages/commands.ts";

export type CallbackDeps = {
  readonly clock: Clock;
  /** How long to wait for the browser at most. */
  readonly lifeMs: number;
  /** Takes the query and gives its result. */
  readonly complete: (query: string) => Promise<CallbackResult>;
  /** The page that the browser gets for it. */
  readonly page: (result: CallbackResult) => CallbackPage;
};

export type CallbackPage = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type CallbackListener = {
  /** `http://localhost:PORT/callback`: the server knows this name, while the socket is bound to the literal address. */
  readonly redirectUri: string;
  /** Resolves when the port is free again. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
};

/** Binds 127.0.0.1 on a free port. Rejects when no port can be bound. */
export const listenForCallback = async (deps: CallbackDeps): Promise<CallbackListener> => {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 32_768 });
  const port = await bound(server);
  let life: Timer | null = null;
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const close = (): Promise<void> => {
    life?.cancel();
    server.close();
    server.closeAllConnections();
    return closed;
  };
  life = deps.clock.setTimeout(() => void close(), deps.lifeMs);
  server.on("request", (request, response) => void answer(deps, { request, response, port, close }));
  return { redirectUri: `http://localhost:${port}/callback`, closed, close };
};

const bound = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });

type Visit = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly port: number;
  readonly close: () => Promise<void>;
};

const answer = async ({ complete, page }: CallbackDeps, { request, response, port, close }: Visit): Promise<void> => {
  const refusal = refusalOf(request, port);
  if (refusal !== null) return plain(response, refusal);
  const result = await complete((request.url ?? "").slice("/callback".length)).catch(internalFault);
  const { status, headers, body } = page(result);
  response.writeHead(status, { ...headers, connection: "close" });
  response.end(body, () => {
    if (result.result === "signed-in" || result.result === "failed") void close();
  });
};

const internalFault = (): CallbackResult => ({ result: "failed", message: "The sign-in could not be completed. Start it again in the terminal." });

/** Null when the request may be looked at; else the status to refuse it with. */
const refusalOf = (request: IncomingMessage, port: number): number | null => {
  if (!isForUs(request, port) || !isNavigation(request)) return 403;
  if (!/^\/callback(?:\?|$)/.test(request.url ?? "")) return 404;
  return request.method === "GET" ? null : 405;
};

const isForUs = (request: IncomingMessage, port: number): boolean => {
  const [host, second] = request.headersDistinct["host"] ?? [];
  return second === undefined && [`localhost:${port}`, `127.0.0.1:${port}`].includes((host ?? "").toLowerCase());
};

// The way back is a navigation: it carries no Origin, and a fetch or an image from another page is none.
const isNavigation = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined && (headers["sec-fetch-mode"] ?? "navigate") === "navigate";

const plain = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`${status}\n`);
};
