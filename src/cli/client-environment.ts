// Which variables make a client use this proxy (Claude Code documentation, environment variables and
// LLM gateway pages). Pure; the values hold the local key and nothing else that is secret.
import type { Config } from "../config/schema.ts";
import type { Secret } from "../lib/secret.ts";
import type { Environment } from "./context.ts";

export type ClientEnvironment = {
  /** Name and value, in the order in which they are shown. */
  readonly variables: readonly (readonly [string, string])[];
  /** Why a client may not use the proxy although the variables are set. */
  readonly warnings: readonly string[];
};

export type ClientOptions = { readonly config: Pick<Config, "mode" | "auth">; readonly baseUrl: string; readonly key: Secret; readonly environment: Environment };

const keyHeader = "x-claude-oauth-proxy-key";

/** What a client needs to talk to `baseUrl`, given what is in its environment already. */
export const clientEnvironment = ({ config, baseUrl, key, environment }: ClientOptions): ClientEnvironment => ({
  variables: [["ANTHROPIC_BASE_URL", baseUrl], ...credential(config, key, environment), ...noProxy(baseUrl, environment)],
  warnings: providers
    .filter((name) => isSet(environment[name]))
    .map((name) => `${name} is set: Claude Code then talks to that provider and not to this proxy`),
});

const credential = ({ mode, auth }: ClientOptions["config"], key: Secret, environment: Environment): [string, string][] => {
  // Claude Code takes itself for signed in only with a token, so it gets the key even where none is asked for.
  if (mode === "oauth") return [["ANTHROPIC_AUTH_TOKEN", key.reveal()]];
  return auth.required ? [["ANTHROPIC_CUSTOM_HEADERS", customHeaders(environment["ANTHROPIC_CUSTOM_HEADERS"] ?? "", key)]] : [];
};

// One `Name: Value` a line; the person's own headers stay, an older key of ours goes.
const customHeaders = (present: string, key: Secret): string => {
  const others = present.split("\n").filter((line) => line.trim() !== "" && !line.toLowerCase().startsWith(`${keyHeader}:`));
  return [...others, `${keyHeader}: ${key.reveal()}`].join("\n");
};

/** Variables by which clients find an outbound proxy. */
export const proxyNames = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

// Claude Code outranks ANTHROPIC_AUTH_TOKEN by these (documentation, authentication precedence).
const providers = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

// An outbound proxy of the company would otherwise catch requests to our loopback address.
const noProxy = (baseUrl: string, environment: Environment): [string, string][] => {
  if (!proxyNames.some((name) => isSet(environment[name]))) return [];
  const host = new URL(baseUrl).hostname.replace(/^\[(.*)\]$/, "$1");
  const names = isSet(environment["no_proxy"]) ? ["NO_PROXY", "no_proxy"] : ["NO_PROXY"];
  const present = environment["NO_PROXY"] || environment["no_proxy"] || "";
  return names.map((name) => [name, withHosts(environment[name] || present, [...new Set(["127.0.0.1", "localhost", "::1", host])])]);
};

const withHosts = (list: string, hosts: readonly string[]): string => {
  const present = list.split(/[\s,]+/).filter((item) => item !== "");
  if (present.includes("*")) return list;
  return [...present, ...hosts.filter((host) => !present.includes(host))].join(",");
};

const isSet = (value: string | undefined): boolean => value !== undefined && value !== "" && value !== "0" && value !== "false";
