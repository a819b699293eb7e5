// Shared by the tests of the simulated upstream: one per test, closed afterwards; requests as a client
// would send them; and a bare socket that shows exactly which bytes came.
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { afterEach } from "vitest";
import { clientId } from "../../src/demo/users.ts";
import { createUpstream, type Upstream, type UpstreamOptions } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Secret } from "../../src/lib/secret.ts";

const running = new Set<Upstream>();
afterEach(async () => {
  await Promise.all([...running].map((upstream) => upstream.close()));
  running.clear();
});

export const start = async (options: Partial<UpstreamOptions> = {}): Promise<Upstream> => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom, ...options });
  running.add(upstream);
  return upstream;
};

export const oauthHeaders = (token: Secret): Record<string, string> => ({
  authorization: `Bearer ${token.reveal()}`,
  "anthropic-beta": "claude-code-20250219,oauth-2025-04-20",
  "anthropic-version": "2023-06-01",
  "content-type": "application/json",
});

export const keyHeaders = (key: Secret): Record<string, string> => ({
  "x-api-key": key.reveal(),
  "anthropic-version": "2023-06-01",
  "content-type": "application/json",
});

export const hello = { model: "claude-opus-4-8", max_tokens: 1024, messages: [{ role: "user", content: "hello" }] };

/** `POST /v1/messages` with a live OAuth token; `change` is merged into the body. */
export const ask = (upstream: Upstream, change: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${upstream.baseUrl}/v1/messages?beta=true`, {
    method: "POST",
    headers: { ...oauthHeaders(upstream.issueTokens().accessToken), ...headers },
    body: JSON.stringify({ ...hello, ...change }),
  });

export type Login = { readonly url: string; readonly verifier: string; readonly state: string; readonly redirectUri: string };

/** A correct authorize link; `change` replaces parameters, null leaves them out. */
export const login = (upstream: Upstream, change: Readonly<Record<string, string | null>> = {}): Login => {
  const verifier = randomBytes(64).toString("base64url");
  const state = randomBytes(32).toString("base64url");
  const redirectUri = change["redirect_uri"] ?? upstream.settings()["oauth.redirectUri"];
  const query = new URLSearchParams({
    code: "true",
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: "org:create_api_key user:profile user:inference",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    state,
  });
  for (const [name, value] of Object.entries(change)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return { url: `${upstream.settings()["oauth.authorizeUrl"]}?${query.toString()}`, verifier, state, redirectUri };
};

export type TokenResponse = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

export const token = async (upstream: Upstream, fields: object): Promise<TokenResponse> => {
  const response = await fetch(upstream.settings()["oauth.tokenUrl"], { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fields) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** The fields of a correct exchange of a fresh code. */
export const exchangeFields = async (upstream: Upstream, change: Readonly<Record<string, string | null>> = {}): Promise<Record<string, unknown>> => {
  const { url, verifier, redirectUri } = login(upstream, change);
  const [code, state] = (await upstream.approve(url)).split("#");
  return { grant_type: "authorization_code", code, state, client_id: clientId, redirect_uri: redirectUri, code_verifier: verifier };
};

export const refreshFields = (refreshToken: Secret | null | string) => ({
  grant_type: "refresh_token",
  refresh_token: typeof refreshToken === "string" ? refreshToken : refreshToken?.reveal(),
  client_id: clientId,
});

/** What a bare socket saw: all bytes, when they came, and how it ended. */
export type Wire = {
  readonly socket: Socket;
  text(): string;
  /** Resolves as soon as the text so far matches. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<"fin" | "reset">;
};

export const wire = (upstream: Upstream, request: string): Wire => {
  const socket = connect(Number(new URL(upstream.baseUrl).port), "127.0.0.1");
  const chunks: string[] = [];
  socket.on("data", (bytes) => chunks.push(bytes.toString("latin1")));
  const ended = new Promise<"fin" | "reset">((resolve) => {
    socket.once("end", () => resolve("fin"));
    socket.once("error", () => resolve("reset"));
  });
  socket.write(request);
  const text = (): string => chunks.join("");
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (pattern.test(text())) resolve();
      };
      socket.on("data", look);
      look();
    });
  return { socket, text, until, ended };
};

/** A messages request as bytes. */
export const rawAsk = (upstream: Upstream, change: object = {}): string => {
  const body = JSON.stringify({ ...hello, ...change });
  const headers = { host: "x", ...oauthHeaders(upstream.issueTokens().accessToken), "content-length": String(Buffer.byteLength(body)) };
  return `POST /v1/messages HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
};

/** The `data` of each server-sent event. */
export const eventsOf = (text: string): readonly { readonly type: string; readonly [name: string]: unknown }[] =>
  text.split("\n\n").filter((block) => block !== "").map((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? "null") as { type: string });
