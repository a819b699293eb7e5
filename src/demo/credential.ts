// Who calls the API. As strict as the real one: one credential, live, with the beta that makes an OAuth
// bearer acceptable at all.
import type { Ledger } from "./ledger.ts";
import type { SimulatedPerson } from "./people.ts";
import { errorReply, headerOf, type Arrived, type Reply } from "./reply.ts";

export type Caller = { readonly person: SimulatedPerson; readonly kind: "oauth" | "api_key"; readonly scopes: readonly string[] };

export type CallerCheck = { readonly ok: true; readonly caller: Caller } | { readonly ok: false; readonly reply: Reply };

const oauthBeta = "oauth-2025-04-20";

const refusals = {
  unknown: "Invalid bearer token",
  expired: "OAuth token has expired. Please obtain a new token or refresh your existing token.",
  revoked: "OAuth token has been revoked. Please obtain a new token.",
} as const;

const bearerOf = (arrived: Pick<Arrived, "headers">): string | null => /^Bearer +(\S+)$/i.exec(headerOf(arrived, "authorization") ?? "")?.[1] ?? null;

const betas = (arrived: Arrived): readonly string[] => (headerOf(arrived, "anthropic-beta") ?? "").split(",").map((beta) => beta.trim());

const refuse = (arrived: Arrived, status: number, message: string): CallerCheck => ({
  ok: false,
  reply: errorReply(arrived.requestId, { status, message }),
});

const keyCaller = (ledger: Ledger, arrived: Arrived, key: string): CallerCheck => {
  const person = ledger.keyHolder(key);
  return person === null ? refuse(arrived, 401, "invalid x-api-key") : { ok: true, caller: { person, kind: "api_key", scopes: [] } };
};

const oauthCaller = (ledger: Ledger, arrived: Arrived, scope: string): CallerCheck => {
  const access = ledger.checkAccess(bearerOf(arrived) ?? "");
  if (!access.live) return refuse(arrived, 401, refusals[access.why]);
  const { person, scopes } = access.chain;
  if (!scopes.includes(scope)) return refuse(arrived, 403, `OAuth token does not meet scope requirement: ${scope}`);
  return { ok: true, caller: { person, kind: "oauth", scopes } };
};

/** For the companion endpoints under `/api/oauth`: a bearer with `scope`. */
export const checkBearer = (ledger: Ledger, arrived: Arrived, scope: string): CallerCheck => oauthCaller(ledger, arrived, scope);

/** For `/v1`: an API key, or a bearer with `user:inference` and the OAuth beta, never both. */
export const checkCaller = (ledger: Ledger, arrived: Arrived): CallerCheck => {
  const key = headerOf(arrived, "x-api-key");
  const authorization = headerOf(arrived, "authorization");
  if (key !== null && authorization !== null) return refuse(arrived, 401, "Only one of x-api-key and Authorization may be sent");
  if (key !== null) return keyCaller(ledger, arrived, key);
  if (authorization === null) return refuse(arrived, 401, "x-api-key header is required");
  // Anthropic's TypeScript client 1.x sends API keys as bearers.
  const bearer = bearerOf(arrived) ?? "";
  if (bearer.startsWith("sk-ant-api")) return keyCaller(ledger, arrived, bearer);
  if (!betas(arrived).includes(oauthBeta)) return refuse(arrived, 401, "OAuth authentication is currently not supported.");
  return oauthCaller(ledger, arrived, "user:inference");
};

/** Whose credential this is, expired and revoked tokens included; for scripts that are meant for one account. */
export const personOf = (ledger: Ledger, arrived: Pick<Arrived, "headers">): SimulatedPerson | null => {
  const text = headerOf(arrived, "x-api-key") ?? bearerOf(arrived);
  if (text === null) return null;
  return ledger.checkAccess(text).chain?.person ?? ledger.keyHolder(text);
};
