// A listener that answers as a proxy does, or as something else, and remembers what it was shown.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { localKey } from "./fake-context.ts";

export const health = { status: "ok", version: "0.1.0", uptime_seconds: 7500, mode: "oauth", accounts: [], in_flight: 2, requests_total: 12 };

type Seen = { readonly path: string; readonly authorization: string | undefined };
type Answer = (path: string, authorization: string | undefined) => readonly [status: number, body: unknown];

export const answering = async (answer: Answer) => {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? "", authorization: request.headers.authorization });
    const [status, body] = answer(request.url ?? "", request.headers.authorization);
    response.writeHead(status, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, seen };
};

/** A proxy that knows `key`. */
export const proxyAnswers = (key = localKey) =>
  answering((path, authorization) => (path === "/health" ? [200, health] : authorization === `Bearer ${key}` ? [200, {}] : [401, {}]));
