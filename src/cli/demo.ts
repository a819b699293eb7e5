// `demo`: the whole program against a simulated Anthropic in this process, with a data folder that is
// thrown away. Nothing leaves the machine and nothing of the person's own is read or written.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.ts";
import { loadSettings } from "./settings.ts";
import type { Command, Environment, Given } from "./world.ts";

export const demo: Command = async (world, given) => {
  const upstream = await world.parts.createDemoUpstream();
  const dir = await mkdtemp(join(tmpdir(), "claude-oauth-proxy-demo-"));
  try {
    const apart = { ...world, environment: withoutOutboundProxy(world.environment) };
    const own: Given = { ...given, everywhere: { ...given.everywhere, dir, set: [...given.everywhere.set, ...upstream.set] } };
    return await serve(apart, own, loadSettings(apart, own), ({ key }, { url }) => {
      if (given.options["traffic"] === true) upstream.startTraffic({ url, key });
    });
  } finally {
    await upstream.close();
    await rm(dir, { recursive: true, force: true });
  }
};

// The simulation is on loopback; a company's proxy has no part in it.
const withoutOutboundProxy = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(https?|all)_proxy$/i.test(name)));
