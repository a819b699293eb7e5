// Path → endpoint. What is not here does not exist, as on the real hosts.
import type { Random } from "../lib/random.ts";
import { createAuthorize, hostedCallback } from "./authorize.ts";
import { countTokens, createMessage, listModels, oneModel, type MessagesDeps, type ScriptedAnswer } from "./messages.ts";
import { createApiKey, profile, revokeEndpoint, tokenEndpoint } from "./oauth-endpoints.ts";
import { errorReply, jsonReply, type Reply, type SimulatedRequest } from "./reply.ts";
import { hostedCallbackPath } from "./users.ts";

type Endpoint = (request: SimulatedRequest, scripted: ScriptedAnswer | null) => Reply;

/** Answers one request; `scripted` replaces the echo of the Messages API. */
export type Routes = Endpoint;

export const paths = {
  authorize: "/oauth/authorize",
  consoleAuthorize: "/console/oauth/authorize",
  token: "/v1/oauth/token",
} as const;

export const createRoutes = (deps: MessagesDeps & { readonly random: Random; readonly baseUrl: () => string }): Routes => {
  const authorize = createAuthorize(deps);
  const endpoints: Readonly<Record<string, Endpoint>> = {
    [`GET ${paths.authorize}`]: authorize,
    [`POST ${paths.authorize}`]: authorize,
    [`GET ${paths.consoleAuthorize}`]: authorize,
    [`POST ${paths.consoleAuthorize}`]: authorize,
    [`GET ${hostedCallbackPath}`]: hostedCallback,
    [`POST ${paths.token}`]: (request) => tokenEndpoint(deps.tokens, request),
    [`POST ${paths.token}/revoke`]: (request) => revokeEndpoint(deps.tokens, request),
    "POST /api/oauth/claude_cli/create_api_key": (request) => createApiKey(deps.tokens, request),
    "GET /api/oauth/profile": (request) => profile(deps.tokens, request),
    "GET /api/hello": () => jsonReply(200, { message: "hello" }),
    "POST /v1/messages": (request, scripted) => createMessage(deps, request, scripted),
    "POST /v1/messages/count_tokens": (request) => countTokens(deps, request),
    "GET /v1/models": (request) => listModels(deps, request),
  };
  const known = new Set(Object.keys(endpoints).map((key) => key.split(" ")[1] ?? ""));
  return (request, scripted) => {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const endpoint = endpoints[`${method} ${request.path}`];
    if (endpoint !== undefined) return endpoint(request, scripted);
    const model = /^\/v1\/models\/([^/]+)$/.exec(request.path)?.[1];
    if (method === "GET" && model !== undefined) return oneModel(deps, request, model);
    if (known.has(request.path)) return errorReply(request.requestId, { status: 405, message: "Method Not Allowed" });
    return errorReply(request.requestId, { status: 404, message: "Not found" });
  };
};
