// `env`: the variables a client needs, as assignments for `eval` or as JSON; and `print-key`. Standard output carries
// nothing else.
import type { Config } from "../../config/schema.ts";
import { originOf } from "../../lib/host.ts";
import { asciiJson } from "../../lib/json.ts";
import { exportLine, likelyShell, shells } from "../../lib/shell-quote.ts";
import { AppError } from "../../messages/errors.ts";
import { clientEnvironment } from "../client-environment.ts";
import type { CliContext, Command, ParsedArgs } from "../context.ts";
import { findRunning } from "../running.ts";
import type { Running } from "../running.ts";
import { loadSettings } from "../settings.ts";
import { localKeyOf } from "../with-store.ts";

export const env: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const { config } = settings;
  const { host, port } = config.server;
  if (port === 0) throw new AppError({ code: "bad-usage", message: "server.port is 0, so the port is only known while the proxy runs.", hint: "Set a port, or use `claude-oauth-proxy run -- COMMAND`." });
  const key = await localKeyOf(context, settings);
  const running = await findRunning({ host, port, key, fetch: context.fetch });
  const baseUrl = originOf(host, port);
  const { variables, warnings } = clientEnvironment({ config: { ...config, mode: modeOf(running, config.mode) }, baseUrl, key, environment: context.environment });
  for (const warning of [...warnings, ...remarksOn(running, baseUrl)]) context.stderr.write(`claude-oauth-proxy: ${warning}\n`);
  context.stdout.write(render(variables, context, args));
  return 0;
};

// The proxy that runs decides: its client has to sign in as that one wants it.
const modeOf = (running: Running, configured: Config["mode"]): Config["mode"] => {
  if (running.is !== "ours") return configured;
  return running.health.mode === "pass-through" ? "pass-through" : "oauth";
};

const remarksOn = ({ is }: Running, url: string): string[] => {
  if (is === "none") return [`no proxy runs at ${url} yet; start it with \`claude-oauth-proxy\``];
  if (is === "foreign") return [`another program answers at ${url}`];
  return is === "other-folder" ? [`the proxy at ${url} has another data folder and will not accept this key`] : [];
};

const render = (variables: readonly (readonly [string, string])[], { environment, platform }: CliContext, { options }: ParsedArgs): string => {
  if (options["json"] === true) return `${asciiJson(Object.fromEntries(variables), 2)}\n`;
  const shell = shells.find((known) => known === options["shell"]) ?? likelyShell(environment, platform);
  return variables.map(([name, value]) => `${exportLine(shell, name, value)}\n`).join("");
};

/** `print-key`: the local key alone, as Claude Code's `apiKeyHelper` wants it (a banner beside it breaks the helper). */
export const printKey: Command = async (context, args) => {
  const key = await localKeyOf(context, loadSettings(context, args));
  context.stdout.write(`${key.reveal()}\n`);
  return 0;
};
