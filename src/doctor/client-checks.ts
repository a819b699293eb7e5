// What in this environment would keep a client from using the proxy. Pure; credentials are compared,
// never shown.
import { sameText } from "../lib/same-text.ts";
import type { Secret } from "../lib/secret.ts";
import type { Config } from "../config/schema.ts";
import { clientEnvironment } from "../cli/client-environment.ts";
import type { Environment } from "../cli/context.ts";
import { ok, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type ClientsWish = {
  readonly environment: Environment;
  readonly config: Pick<Config, "mode" | "auth">;
  /** Where a client would reach our proxy. */
  readonly url: string;
  /** Null when there is none yet. */
  readonly key: Secret | null;
};

const evalEnv = 'eval "$(claude-oauth-proxy env)", or claude-oauth-proxy run claude';

export const clientChecks = (wish: ClientsWish): readonly Finding[] => [
  baseUrlCheck(wish),
  ...credentialChecks(wish),
  ...providerChecks(wish),
  ok("settings files", "not looked at: an `env` block in Claude Code's settings.json outranks the shell"),
];

const baseUrlCheck = ({ environment, url }: ClientsWish): Finding => {
  const value = environment["ANTHROPIC_BASE_URL"];
  if (value === undefined || value === "") return ok("base url", "ANTHROPIC_BASE_URL is not set in this shell", `For a client here: ${evalEnv}`);
  const origin = URL.canParse(value) ? new URL(value).origin : null;
  if (origin === null) return warning("base url", "ANTHROPIC_BASE_URL is not a URL", evalEnv);
  if (sameLoopback(origin, url)) return ok("base url", `ANTHROPIC_BASE_URL=${origin}: this proxy`);
  return warning("base url", `ANTHROPIC_BASE_URL=${origin}: not this proxy (${url})`, evalEnv);
};

const sameLoopback = (left: string, right: string): boolean => plain(left) === plain(new URL(right).origin);

const plain = (origin: string): string => origin.replace(/\/\/(?:localhost|\[::1\])(?=:|$)/, "//127.0.0.1");

const credentialChecks = ({ environment, config, key }: ClientsWish): readonly Finding[] => {
  const findings: Finding[] = [];
  const isKey = (name: string): boolean => key !== null && sameText(environment[name] ?? "", key.reveal());
  if (environment["ANTHROPIC_API_KEY"] && !isKey("ANTHROPIC_API_KEY")) {
    findings.push(warning("api key", "ANTHROPIC_API_KEY is set: a client may show it instead of the local key, or ask which to use", "Unset it in the shell of the client."));
  }
  const token = environment["ANTHROPIC_AUTH_TOKEN"];
  if (config.mode === "oauth" && config.auth.required && token && !isKey("ANTHROPIC_AUTH_TOKEN")) {
    findings.push(warning("auth token", "ANTHROPIC_AUTH_TOKEN is not this proxy's local key: requests would get 401", evalEnv));
  }
  return findings.length === 0 ? [ok("client keys", "nothing in the way")] : findings;
};

const providerChecks = ({ environment, config, url, key }: ClientsWish): readonly Finding[] => {
  if (key === null) return [];
  return clientEnvironment({ config, baseUrl: url, key, environment }).warnings.map((text) => warning("provider", text, "Unset it in the shell of the client."));
};
