// `env`: the variables a client needs, as assignments for `eval` or as JSON; and `print-key`. Standard output carries
// nothing else.
import type { Config } from "../../config/schema.ts";
import { originOf } from "../../lib/host.ts";
import { asciiJson } from "../../lib/json.ts";
import type { Secret } from "../../lib/secret.ts";
import { exportLine, likelyShell, shells } from "../../lib/shell-quote.ts";
import { AppError } from "../../messages/errors.ts";
import type { CliContext, Command, Environment, ParsedArgs } from "../context.ts";
import { findRunning, strangerText } from "../running.ts";
import type { Running } from "../running.ts";
import { loadSettings } from "../settings.ts";
import { openKeyOf, runningQuery } from "../with-store.ts";

export const env: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const { config } = settings;
  const query = await runningQuery(context, settings);
  const running = await findRunning({ ...query, lasting: true });
  const { baseUrl, mode } = targetOf(running, config);
  const { variables, warnings } = clientEnvironment({ config: { ...config, mode }, baseUrl, key: query.key, environment: context.environment });
  const remarks = running.is === "none" ? [`no proxy runs at ${baseUrl} yet; start it with \`claude-oauth-proxy\``] : [];
  for (const warning of [...warnings, ...remarks]) context.stderr.write(`claude-oauth-proxy: ${warning}\n`);
  context.stdout.write(render(variables, context, args));
  return 0;
};

// A client sends the key, and every prompt, to this address: it is that of a proxy that has proved itself, or one where
// nothing answers yet. The proxy that runs decides how its client signs in.
const targetOf = (running: Running, { mode, server: { host, port } }: Config): { readonly baseUrl: string; readonly mode: Config["mode"] } => {
  if (running.is === "ours") return { baseUrl: running.url, mode: running.health.mode === "pass-through" ? "pass-through" : "oauth" };
  if (port === 0) throw new AppError({ code: "bad-usage", message: "server.port is 0, so the port is only known while the proxy runs.", hint: "Set a port, or use `claude-oauth-proxy run -- COMMAND`." });
  if (running.is === "none") return { baseUrl: originOf(host, port), mode };
  throw new AppError({
    code: "unproven-port",
    message: `Nothing is printed, because ${strangerText(running, `at ${running.url}`)}.`,
    hint: "A client would send it the key and every prompt. Stop that program, name the data folder of that proxy with --dir, or choose another port: claude-oauth-proxy config set server.port NUMBER",
  });
};

const render = (variables: readonly (readonly [string, string])[], { environment, platform }: CliContext, { options }: ParsedArgs): string => {
  if (options["json"] === true) return `${asciiJson(Object.fromEntries(variables), 2)}\n`;
  const shell = shells.find((known) => known === options["shell"]) ?? likelyShell(environment, platform);
  return variables.map(([name, value]) => `${exportLine(shell, name, value)}\n`).join("");
};

/** `print-key`: the local key alone, as Claude Code's `apiKeyHelper` wants it (a banner beside it breaks the helper). */
export const printKey: Command = async (context, args) => {
  const { key } = await openKeyOf(context, loadSettings(context, args).dir);
  context.stdout.write(`${key.reveal()}\n`);
  return 0;
};

export type ClientEnvironment = {
  /** Name and value, in the order in which they are shown. */
  readonly variables: readonly (readonly [string, string])[];
  /** Why a client may not use the proxy although the variables are set. */
  readonly warnings: readonly string[];
};

export type ClientOptions = { readonly config: Pick<Config, "mode" | "auth">; readonly baseUrl: string; readonly key: Secret; readonly environment: Environment };

const keyHeader = "x-claude-oauth-proxy-key";

/**
 * What a client needs to talk to `baseUrl`, given what is in its environment already (Claude Code documentation,
 * environment variables and LLM gateway pages). Pure; the values hold the local key and nothing else that is secret.
 */
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
