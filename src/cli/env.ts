// `env`: the variables a client needs, as assignments for `eval` or as JSON; nothing else on stdout.
import { asciiJson } from "../log/ascii-json.ts";
import { AppError } from "../messages/errors.ts";
import { clientEnvironment, clientUrl } from "./client-environment.ts";
import { findRunning } from "./running.ts";
import { exportLine, likelyShell, shells } from "./shell-quote.ts";
import type { Shell } from "./shell-quote.ts";
import { withStore } from "./with-store.ts";
import type { Command, Given, World } from "./world.ts";

export const env: Command = (world, given) =>
  withStore(world, given, async ({ key }, { config }) => {
    const { host, port } = config.server;
    if (port === 0) throw new AppError({ code: "bad-usage", message: "server.port is 0, so the port is only known while the proxy runs.", hint: "Set a port, or use `claude-oauth-proxy run -- COMMAND`." });
    const running = await findRunning({ host, port, key, fetch: world.fetch });
    const mode = running.is === "ours" && running.health.mode === "pass-through" ? "pass-through" : config.mode;
    const { variables, warnings } = clientEnvironment({ config: { ...config, mode }, baseUrl: clientUrl(host, port), key, environment: world.environment });
    for (const warning of [...warnings, ...about(running.is, clientUrl(host, port))]) world.stderr.write(`claude-oauth-proxy: ${warning}\n`);
    world.stdout.write(render(variables, world, given));
    return 0;
  });

const about = (is: string, url: string): string[] => {
  if (is === "none") return [`no proxy runs at ${url} yet; start it with \`claude-oauth-proxy\``];
  if (is === "foreign") return [`another program answers at ${url}`];
  return is === "other-folder" ? [`the proxy at ${url} has another data folder and will not accept this key`] : [];
};

const render = (variables: readonly (readonly [string, string])[], world: World, given: Given): string => {
  if (given.options["json"] === true) return `${asciiJson(Object.fromEntries(variables), 2)}\n`;
  const wanted = shells.find((shell) => shell === given.options["shell"]);
  const shell: Shell = wanted ?? likelyShell(world.environment, world.platform);
  return variables.map(([name, value]) => `${exportLine(shell, name, value)}\n`).join("");
};
