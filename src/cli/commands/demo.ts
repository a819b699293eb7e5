// `demo`: the whole program against a simulated Anthropic in this process, with a data folder that is
// thrown away. Nothing leaves the machine and nothing of the person's own is read or written.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "../../app/app.ts";
import { createScenario } from "../../demo/scenario.ts";
import type { Scenario } from "../../demo/scenario.ts";
import { createUpstream } from "../../demo/upstream.ts";
import type { Upstream } from "../../demo/upstream.ts";
import { systemRandom } from "../../lib/random.ts";
import { secret } from "../../lib/secret.ts";
import type { CliContext, Command, Environment, ParsedArgs } from "../context.ts";
import { loadSettings } from "../settings.ts";
import { serve } from "./start.ts";

/** Short enough that a refresh can be watched: with the usual lead it comes after two minutes. */
const accessTokenSeconds = 420;

/** Slow enough that the phases of a stream can be read. */
const chunkDelayMs = 60;

export const demo: Command = async (context, args) => {
  const upstream = await createUpstream({ clock: context.clock, random: systemRandom, accessTokenSeconds, chunkDelayMs });
  const dir = await mkdtemp(join(tmpdir(), "claude-oauth-proxy-demo-"));
  const traffic: Scenario[] = [];
  try {
    const apart = { ...context, environment: ownEnvironment(context.environment) };
    const own = inFolder(args, dir, upstream);
    return await serve(apart, own, loadSettings(apart, own), async (app, { url }, drawn) => {
      if (drawn) context.stderr.write(`Demo: the sign-in page is simulated too. Without a browser, \`curl -sLb "" LINK\` in another terminal plays one, with the short link below as LINK.\n\n`);
      else await signIn(app, upstream);
      if (args.options["traffic"] === true) traffic.push(startTraffic(context, { app, upstream, url }));
    });
  } finally {
    await Promise.all(traffic.map((scenario) => scenario.stop()));
    await upstream.close();
    await rm(dir, { recursive: true, force: true });
  }
};

const inFolder = (args: ParsedArgs, dir: string, upstream: Upstream): ParsedArgs => {
  const set = Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`);
  return { ...args, global: { ...args.global, dir, set: [...args.global.set, ...set, "storage.encryption=none"] } };
};

// The simulation is on loopback; a company's proxy has no part in it.
const ownEnvironment = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(https?|all)_proxy$/i.test(name)));

// Without a screen no person presses Authorize.
const signIn = async ({ commands, config }: App, upstream: Upstream): Promise<void> => {
  if (config.mode !== "oauth") return;
  const { attemptId, authorizeUrl } = await commands.startLogin({});
  await commands.submitCode(secret(await upstream.approve(authorizeUrl)), attemptId);
};

const startTraffic = (context: CliContext, { app, upstream, url }: { app: App; upstream: Upstream; url: string }): Scenario => {
  const { clock, fetch, version } = context;
  const scenario = createScenario({ baseUrl: url, key: app.key, clock, random: systemRandom, fetch, script: upstream.script, version });
  // Before the sign-in every request would only be refused.
  if (app.config.mode === "pass-through" || app.store.snapshot().accounts.length > 0) scenario.start();
  app.bus.subscribe(({ type }) => {
    if (type === "account.added") scenario.start();
    // Otherwise the drain would wait for the demo's own streams.
    if (type === "server.stopping") void scenario.stop();
  }, "the demo's traffic");
  return scenario;
};
