// Path → endpoint. What is not here does not exist, as on the real hosts.
import { createAuthorize, hostedCallback } from "./authorize.ts";
import { createApiKey, profile } from "./companion.ts";
import { countTokens, createMessage, listModels, oneModel, type MessagesDeps, type ScriptedAnswer } from "./messages.ts";
import { hostedCallbackPath } from "./registered-client.ts";
import { errorReply, jsonReply, type Arrived, type Reply } from "./reply.ts";
import { revokeEndpoint, tokenEndpoint } from "./token-endpoint.ts";
import type { Random } from "../lib/random.ts";

type Endpoint = (arrived: Arrived, scripted: ScriptedAnswer | null) => Reply;

/** Answers one request; `scripted` replaces the echo of the Messages API. */
export type Route = Endpoint;

export const paths = {
  authorize: "/oauth/authorize",
  consoleAuthorize: "/console/oauth/authorize",
  token: "/v1/oauth/token",
} as const;

export const createRoute = (deps: MessagesDeps & { readonly random: Random; readonly baseUrl: () => string }): Route => {
  const authorize = createAuthorize(deps);
  const endpoints: Readonly<Record<string, Endpoint>> = {
    [`GET ${paths.authorize}`]: authorize,
    [`POST ${paths.authorize}`]: authorize,
    [`GET ${paths.consoleAuthorize}`]: authorize,
    [`POST ${paths.consoleAuthorize}`]: authorize,
    [`GET ${hostedCallbackPath}`]: hostedCallback,
    [`POST ${paths.token}`]: (arrived) => tokenEndpoint(deps.ledger, arrived),
    [`POST ${paths.token}/revoke`]: (arrived) => revokeEndpoint(deps.ledger, arrived),
    "POST /api/oauth/claude_cli/create_api_key": (arrived) => createApiKey(deps.ledger, arrived),
    "GET /api/oauth/profile": (arrived) => profile(deps.ledger, arrived),
    "GET /api/hello": () => jsonReply(200, { message: "hello" }),
    "POST /v1/messages": (arrived, scripted) => createMessage(deps, arrived, scripted),
    "POST /v1/messages/count_tokens": (arrived) => countTokens(deps, arrived),
    "GET /v1/models": (arrived) => listModels(deps, arrived),
  };
  const known = new Set(Object.keys(endpoints).map((key) => key.split(" ")[1] ?? ""));
  return (arrived, scripted) => {
    const method = arrived.method === "HEAD" ? "GET" : arrived.method;
    const endpoint = endpoints[`${method} ${arrived.path}`];
    if (endpoint !== undefined) return endpoint(arrived, scripted);
    const model = /^\/v1\/models\/([^/]+)$/.exec(arrived.path)?.[1];
    if (method === "GET" && model !== undefined) return oneModel(deps, arrived, model);
    if (known.has(arrived.path)) return errorReply(arrived.requestId, { status: 405, message: "Method Not Allowed" });
    return errorReply(arrived.requestId, { status: 404, message: "Not found" });
  };
};
