// A loopback listener that lives for one sign-in (RFC 8252 sections 7.3 and 8.3), for when no server of ours runs. Only
// GET /login/TOKEN and GET /callback with our own name in Host; the first result wins; then it is gone.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Clock, Timer } from "../lib/clock.ts";
import { AppError } from "../messages/errors.ts";
import { holdLocalhost } from "./localhost.ts";
import type { HeldLocalhost } from "./localhost.ts";

export type CallbackDeps = {
  readonly clock: Clock;
  /** How long to wait for the browser at most. */
  readonly lifeMs: number;
  /** A browser follows the link. */
  readonly openLink: (request: IncomingMessage, token: string) => PageAnswer;
  /** A browser came back. `isOver`: the sign-in needs this listener no more. */
  readonly complete: (request: IncomingMessage, query: string) => Promise<{ readonly answer: PageAnswer; readonly isOver: boolean }>;
};

export type PageAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type CallbackListener = {
  /** `http://localhost:PORT`: the authorization server knows this name, while the sockets are bound to the literal addresses. */
  readonly origin: string;
  /** Resolves when the port is free again. */
  readonly closed: Promise<void>;
  /** Takes nothing new; an answer that is under way has a moment to end. */
  close(): Promise<void>;
};

/** For an answer that is under way. */
const farewellMs = 1000;

/** Binds both addresses of `localhost` on a free port. Rejects when no port can be bound. */
export const listenForCallback = async (deps: CallbackDeps): Promise<CallbackListener> => {
  const { server, port, held } = await bindAlone();
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  let timer: Timer | null = null;
  let isClosing = false;
  const close = (): Promise<void> => {
    if (isClosing) return closed;
    isClosing = true;
    timer?.cancel();
    timer = deps.clock.setTimeout(() => server.closeAllConnections(), farewellMs);
    void closed.then(() => timer?.cancel());
    held.release();
    server.close();
    return closed;
  };
  timer = deps.clock.setTimeout(() => void close(), deps.lifeMs);
  server.on("request", (request, response) => void answer(deps, { request, response, port, close }));
  return { origin: `http://localhost:${port}`, closed, close };
};

type Bound = { readonly server: Server; readonly port: number; readonly held: HeldLocalhost };

const mostTries = 5;

const bindAlone = async (): Promise<Bound> => {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 32_768 });
    const port = await bind(server);
    const held = await holdLocalhost({ host: "127.0.0.1", port });
    if (held !== null) return { server, port, held };
    server.close();
  }
  throw new AppError({ code: "login-failed", message: `Another program listens on ::1 at each of ${mostTries} ports that are free on 127.0.0.1.`, hint: "Sign in with --set oauth.callback=false." });
};

const bind = (server: Server): Promise<number> =>
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

const answer = async ({ openLink, complete }: CallbackDeps, { request, response, port, close }: Visit): Promise<void> => {
  const [path = "", ...query] = (request.url ?? "").split("?");
  const token = /^\/login\/([^/]+)$/.exec(path)?.[1];
  const refusal = refusalOf(request, { port, isKnown: path === "/callback" || token !== undefined });
  if (refusal !== null) return send(response, plain(refusal));
  if (token !== undefined) return send(response, openLink(request, token));
  const came = await complete(request, query.join("?")).catch(() => ({ answer: internalFault, isOver: true }));
  send(response, came.answer, () => {
    if (came.isOver) void close();
  });
};

/** Null when the request may be looked at; else the status to refuse it with. */
const refusalOf = (request: IncomingMessage, { port, isKnown }: { readonly port: number; readonly isKnown: boolean }): number | null => {
  if (!isForUs(request, port) || !isNavigation(request)) return 403;
  if (!isKnown) return 404;
  return request.method === "GET" ? null : 405;
};

const isForUs = (request: IncomingMessage, port: number): boolean => {
  const [host, second] = request.headersDistinct["host"] ?? [];
  return second === undefined && [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`].includes((host ?? "").toLowerCase());
};

// The way back is a navigation: it carries no Origin, and a fetch or an image from another page is none.
const isNavigation = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined && (headers["sec-fetch-mode"] ?? "navigate") === "navigate";

const plain = (status: number, text = String(status)): PageAnswer => ({ status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` });

const internalFault = plain(400, "The sign-in could not be completed. Start it again in the terminal.");

const send = (response: ServerResponse, { status, headers, body }: PageAnswer, sent?: () => void): void => {
  response.writeHead(status, { ...headers, connection: "close" });
  response.end(body, sent);
};
