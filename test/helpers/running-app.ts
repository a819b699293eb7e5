// A whole proxy in this process, on real sockets and a real data folder, before a simulated Anthropic.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createApp } from "../../src/app/create-app.ts";
import type { App, Listening } from "../../src/app/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream, UpstreamOptions } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import type { Event, EventType } from "../../src/messages/events.ts";

export type RunningApp = {
  readonly app: App;
  readonly upstream: Upstream;
  readonly listening: Listening;
  readonly dir: string;
  /** The local key in the clear, empty when none is required. */
  readonly key: string;
  readonly events: readonly Event[];
  /** The first event of `type`, past or future, that `matches`; rejects after ten seconds. */
  event<T extends EventType>(type: T, matches?: (event: Extract<Event, { type: T }>) => boolean): Promise<Extract<Event, { type: T }>>;
  /** Signs in as a person would: link, page, paste. */
  signIn(login?: Parameters<App["commands"]["startLogin"]>[0]): Promise<string>;
};

type AppOptions = {
  readonly set?: readonly string[];
  readonly upstream?: Partial<UpstreamOptions>;
  readonly clock?: Clock;
  readonly accountId?: string | null;
  readonly dir?: string;
  /** Use this one instead of starting another. */
  readonly shared?: Upstream;
};

export const settingsOf = (set: readonly string[]): Config => {
  const loaded = loadConfig({ flags: [], set, environment: {}, file: null });
  if (!loaded.ok) throw new Error(loaded.problems.join("\n"));
  return loaded.config;
};

export const temporaryFolder = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "claude-oauth-proxy-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** Stopped when the test has finished. */
export const startApp = async (options: AppOptions = {}): Promise<RunningApp> => {
  const clock = options.clock ?? createSystemClock();
  const upstream = options.shared ?? (await createUpstream({ clock, random: systemRandom, ...options.upstream }));
  const dir = options.dir ?? temporaryFolder();
  const set = ["server.port=0", ...Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`), ...(options.set ?? [])];
  const app = await createApp({
    config: settingsOf(set),
    dir,
    version: "0.0.0-test",
    environment: {},
    askPassphrase: async () => null,
    process,
    clock,
    accountId: options.accountId ?? null,
  });
  const events: Event[] = [];
  app.bus.subscribe((event) => events.push(event));
  const listening = await app.start();
  onTestFinished(async () => {
    void app.commands.stop("test finished");
    await app.commands.stop("test finished");
    if (options.shared === undefined) await upstream.close();
  });
  return {
    app,
    upstream,
    listening,
    dir,
    key: app.key?.reveal() ?? "",
    events,
    event: (type, matches = () => true) => nextEvent(app, events, (event) => event.type === type && matches(event as never)) as never,
    async signIn(login = {}) {
      const attempt = await app.commands.startLogin(login);
      const outcome = await app.commands.submitCode(secret(await upstream.approve(attempt.authorizeUrl)), attempt.attemptId);
      if (outcome.outcome !== "signed-in") throw new Error(JSON.stringify(outcome));
      return outcome.accountId;
    },
  };
};

const nextEvent = (app: App, events: readonly Event[], matches: (event: Event) => boolean): Promise<Event> =>
  new Promise((resolve, reject) => {
    const known = events.find(matches);
    if (known !== undefined) return resolve(known);
    const deadline = setTimeout(() => {
      stop();
      reject(new Error(`no such event within 10 s; seen: ${events.map(({ type }) => type).join(", ")}`));
    }, 10_000);
    const stop = app.bus.subscribe((event) => {
      if (!matches(event)) return;
      clearTimeout(deadline);
      stop();
      resolve(event);
    });
  });
