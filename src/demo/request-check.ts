// Whether a request to the API is acceptable: its credential, then its body. As strict as the real service: one
// credential, live, with the beta that makes an OAuth bearer acceptable at all; required fields by name,
// unknown ones let through, because clients send more every month.
import { parseJsonObject } from "../lib/json.ts";
import type { MessagesRequest } from "./answer.ts";
import { errorReply, headerOf, type ApiError, type Reply, type SimulatedRequest } from "./reply.ts";
import type { Tokens } from "./tokens.ts";
import type { SimulatedUser } from "./users.ts";

export type Caller = { readonly user: SimulatedUser; readonly kind: "oauth" | "api_key"; readonly scopes: readonly string[] };

export type CallerCheck = { readonly ok: true; readonly caller: Caller } | { readonly ok: false; readonly reply: Reply };

const oauthBeta = "oauth-2025-04-20";

/** For `/v1`: an API key, or a bearer with `user:inference` and the OAuth beta, never both. */
export const checkCaller = (tokens: Tokens, request: SimulatedRequest): CallerCheck => {
  const key = headerOf(request, "x-api-key");
  const authorization = headerOf(request, "authorization");
  if (key !== null && authorization !== null) return refuse(request, 401, "Only one of x-api-key and Authorization may be sent");
  if (key !== null) return checkKey(tokens, request, key);
  if (authorization === null) return refuse(request, 401, "x-api-key header is required");
  // Anthropic's TypeScript client 1.x sends API keys as bearers.
  const bearer = bearerOf(request) ?? "";
  if (bearer.startsWith("sk-ant-api")) return checkKey(tokens, request, bearer);
  const betas = (headerOf(request, "anthropic-beta") ?? "").split(",").map((beta) => beta.trim());
  if (!betas.includes(oauthBeta)) return refuse(request, 401, "OAuth authentication is currently not supported.");
  return checkBearer(tokens, request, "user:inference");
};

const refusals = {
  unknown: "Invalid bearer token",
  expired: "OAuth token has expired. Please obtain a new token or refresh your existing token.",
  revoked: "OAuth token has been revoked. Please obtain a new token.",
} as const;

/** For the endpoints under `/api/oauth`, and the last step of `checkCaller`: a live bearer with `scope`. */
export const checkBearer = (tokens: Tokens, request: SimulatedRequest, scope: string): CallerCheck => {
  const access = tokens.checkAccess(bearerOf(request) ?? "");
  if (!access.live) return refuse(request, 401, refusals[access.why]);
  const { user, scopes } = access.grant;
  if (!scopes.includes(scope)) return refuse(request, 403, `OAuth token does not meet scope requirement: ${scope}`);
  return { ok: true, caller: { user, kind: "oauth", scopes } };
};

/** The owner of the credential, expired and revoked ones included; for scripts that are meant for one account. */
export const ownerOf = (tokens: Tokens, request: Pick<SimulatedRequest, "headers">): SimulatedUser | null => {
  const text = headerOf(request, "x-api-key") ?? bearerOf(request);
  return text === null ? null : (tokens.checkAccess(text).grant?.user ?? tokens.keyHolder(text));
};

const checkKey = (tokens: Tokens, request: SimulatedRequest, key: string): CallerCheck => {
  const user = tokens.keyHolder(key);
  return user === null ? refuse(request, 401, "invalid x-api-key") : { ok: true, caller: { user, kind: "api_key", scopes: [] } };
};

const bearerOf = (request: Pick<SimulatedRequest, "headers">): string | null => /^Bearer +(\S+)$/i.exec(headerOf(request, "authorization") ?? "")?.[1] ?? null;

const refuse = ({ requestId }: SimulatedRequest, status: number, message: string): CallerCheck => ({ ok: false, reply: errorReply(requestId, { status, message }) });

export type BodyCheck = { readonly ok: true; readonly body: MessagesRequest } | { readonly ok: false; readonly error: ApiError };

/** The body of a Messages request. `counting` is `/v1/messages/count_tokens`, which needs no `max_tokens`. */
export const checkBody = (bytes: Buffer, counting: boolean): BodyCheck => {
  const fields = parseJsonObject(bytes.toString("utf8"));
  if (fields === null) return wrong("The request body is not valid JSON");
  const { model, messages } = fields;
  if (typeof model !== "string") return wrong("model: Field required");
  if (!Array.isArray(messages)) return wrong("messages: Field required");
  if (messages.length === 0) return wrong("messages: at least one message is required");
  const fault = messageFault(messages) ?? (counting ? null : limitFault(fields["max_tokens"]));
  if (fault !== null) return wrong(fault);
  if (!model.startsWith("claude-")) return wrong(`model: ${model}`, 404);
  const body = {
    model,
    maxTokens: Number(fields["max_tokens"] ?? 0),
    stream: fields["stream"] === true,
    thinking: thinks(fields["thinking"]),
    system: fields["system"],
    tools: fields["tools"],
    messages,
  };
  return { ok: true, body };
};

const wrong = (message: string, status = 400): BodyCheck => ({ ok: false, error: { status, message } });

const roles = new Set(["user", "assistant", "system"]);

const messageFault = (messages: readonly unknown[]): string | null => {
  const at = messages.findIndex((message) => !roles.has(String((message as { readonly role?: unknown } | null)?.role)));
  if (at >= 0) return `messages.${at}.role: Input should be 'user' or 'assistant'`;
  const empty = messages.findIndex((message) => (message as { readonly content?: unknown }).content === undefined);
  return empty >= 0 ? `messages.${empty}.content: Field required` : null;
};

const limitFault = (maxTokens: unknown): string | null => {
  if (maxTokens === undefined) return "max_tokens: Field required";
  return Number.isInteger(maxTokens) && Number(maxTokens) >= 1 ? null : "max_tokens: Input should be greater than or equal to 1";
};

const thinks = (thinking: unknown): boolean => {
  const type = (thinking as { readonly type?: unknown } | null | undefined)?.type;
  return type === "enabled" || type === "adaptive";
};
