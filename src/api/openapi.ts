// GET /openapi.json: the endpoints as OpenAPI 3.1, made from the same table as the routes. Who may call is the
// `security` of each path: no entry opens it, `localKey` or `localKeyHeader` is the key, `browserSession` the page's session.
import { endpoints, needsInWords } from "../server/endpoints.ts";
import type { EndpointSpec } from "../server/endpoints.ts";
import { respondJson } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

export const createOpenApi = ({ version }: Pick<ApiDeps, "version">): Endpoint => {
  const description = openApi(version);
  return ({ response }) => respondJson(response, 200, description);
};

type Json = Readonly<Record<string, unknown>>;

/** The description of everything that this version answers itself, and of what it forwards. */
export const openApi = (version: string): Json => ({
  openapi: "3.1.0",
  info: { title: "claude-oauth-proxy", version, description: "A loopback proxy that keeps Claude Code signed in. Everything below /v1/ is forwarded to the configured upstream." },
  components: { securitySchemes, schemas: { Error: errorSchema } },
  paths: { ...forwardedPaths, ...pathsOf(endpoints) },
});

const securitySchemes: Json = {
  localKey: { type: "http", scheme: "bearer", description: "The local key, as `claude-oauth-proxy print-key` prints it" },
  localKeyHeader: { type: "apiKey", in: "header", name: "x-api-key", description: "The local key" },
  passThroughKey: { type: "apiKey", in: "header", name: "x-claude-oauth-proxy-key", description: "The local key in pass-through mode, where the other two fields are the client's own login" },
  browserSession: { type: "apiKey", in: "header", name: "x-csrf-token", description: "The token of a browser session, beside its cookie" },
};

/** The envelope of the Messages API (platform docs, API errors). */
const errorSchema: Json = {
  type: "object",
  required: ["type", "error", "request_id"],
  properties: {
    type: { const: "error" },
    error: { type: "object", required: ["type", "message"], properties: { type: { type: "string" }, message: { type: "string" } } },
    request_id: { type: "string" },
  },
};

const keySchemes = [{ localKey: [] }, { localKeyHeader: [] }, { passThroughKey: [] }];

const securityOf: Readonly<Record<EndpointSpec["needs"], readonly Json[]>> = {
  nothing: [],
  key: keySchemes,
  page: [...keySchemes, { browserSession: [] }],
  forwarding: keySchemes,
};

const operation = ({ summary, needs, limited, body }: Pick<EndpointSpec, "summary" | "needs" | "limited" | "body">, parameter: string | undefined): Json => ({
  summary,
  description: `Needs ${needsInWords[needs]}.${limited === true ? " Counted by `rateLimit.auth`." : ""}`,
  security: securityOf[needs],
  ...(parameter === undefined ? {} : { parameters: [{ name: parameter, in: "path", required: true, schema: { type: "string" } }] }),
  ...(body === undefined ? {} : { requestBody: { content: { "application/json": { schema: bodySchema(body) } } } }),
  responses: {
    "2XX": { description: "Done" },
    default: { description: "Refused or failed; `x-claude-oauth-proxy-error` has the code", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } },
  },
});

const bodySchema = (members: readonly string[]): Json => ({
  type: "object",
  required: members.filter((member) => !member.endsWith("?")),
  properties: Object.fromEntries(members.map((member) => [member.replace("?", ""), {}])),
});

const pathsOf = (specs: readonly EndpointSpec[]): Json => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const spec of specs) {
    const parameter = /\{(\w+)\}/.exec(spec.path)?.[1];
    for (const method of spec.methods) (paths[spec.path] ??= {})[method.toLowerCase()] = operation(spec, parameter);
  }
  return paths;
};

const forwarded = { summary: "Forwarded to the upstream, body and answer byte for byte", needs: "forwarding" } as const;

const forwardedPaths: Json = {
  "/v1/{path}": Object.fromEntries(["get", "head", "post", "put", "patch", "delete"].map((method) => [method, operation(forwarded, "path")])),
};
