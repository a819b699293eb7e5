// A listener that answers as a proxy does, or as something else, and remembers what it was shown.
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { answerKeyChallenge, nonceHeader, proofHeader } from "../../src/lib/key-proof.ts";
import { secret } from "../../src/lib/secret.ts";
import { localKey } from "./fake-context.ts";

export const health = { status: "ok", version: "0.1.0", uptime_seconds: 7500, mode: "oauth", accounts: [], in_flight: 2, requests_total: 12 };

type Answered = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

/** `seen` has the head of every request as text, so that a key in any field of it would show. */
export const answering = async (answer: (path: string, request: IncomingMessage) => Answered) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push([`${request.method} ${request.url}`, ...request.rawHeaders].join("\n"));
    const [status, body, headers = {}] = answer(request.url ?? "", request);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, seen };
};

export type FakeProxy = { readonly key?: string; readonly health?: object; readonly state?: object };

/** A proxy that knows `key`. */
export const proxyAnswers = ({ key = localKey, health: ownHealth = health, state = {} }: FakeProxy = {}) =>
  answering((path, { headers }) => {
    if (path === "/health") return [200, ownHealth];
    if (path === "/api/status") return headers.authorization === `Bearer ${key}` ? [200, state] : [401, {}];
    const proof = answerKeyChallenge(secret(key), { host: headers.host ?? "", nonce: String(headers[nonceHeader]), proof: String(headers[proofHeader]) });
    return proof === null ? [401, {}, { "x-claude-oauth-proxy-error": "local-key" }] : [200, { ok: true, proof }];
  });

/** What an impostor says to everything that has no secret in it: it looks like a proxy in every field. */
export const forged = () => answering((path) => [200, path === "/health" ? health : path === "/api/hello" ? { ok: true, proof: "c2hhcGVkLWxpa2UtYS1wcm9vZi1idXQtaXQtaXMtbm9uZQ" } : {}]);
