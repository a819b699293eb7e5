// The parts that a running proxy and a single command share: bus, state, upstream, data folder, accounts.
// Nothing here listens.
import type { Account } from "../accounts/account.ts";
import { createRefresher } from "../accounts/refresher.ts";
import type { Refresher } from "../accounts/refresher.ts";
import { createRegistry, createReload } from "../accounts/registry.ts";
import type { Registry, Reload } from "../accounts/registry.ts";
import { createTokenWriter } from "../accounts/token-writer.ts";
import type { TokenWriter } from "../accounts/token-writer.ts";
import type { Config } from "../config/schema.ts";
import { createSystemClock, sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { createBus } from "../messages/bus.ts";
import type { Bus } from "../messages/bus.ts";
import type { TokenAnswer } from "../messages/tokens.ts";
import { createApiKeyMaker } from "../oauth/api-key.ts";
import type { CreateApiKey } from "../oauth/api-key.ts";
import type { OAuthSettings } from "../oauth/authorization-request.ts";
import type { PostDeps } from "../oauth/post.ts";
import { createTokenEndpoint } from "../oauth/token-endpoint.ts";
import type { RevokeAnswer, TokenEndpoint } from "../oauth/token-endpoint.ts";
import { outboundSecrets } from "../proxy/outbound-proxy.ts";
import { createUpstream } from "../proxy/upstream.ts";
import type { Upstream } from "../proxy/upstream.ts";
import { createStore } from "../state/store.ts";
import type { Store } from "../state/store.ts";
import type { ThisProcess } from "../storage/processes.ts";
import { openDataFolder } from "./data-folder.ts";
import type { DataFolder } from "./data-folder.ts";

/** What the program is opened with. Clock, random and bus are replaced by tests. */
export type CoreOptions = {
  readonly config: Config;
  /** The data folder, absolute. */
  readonly dir: string;
  /** Our own version. */
  readonly version: string;
  /** False while `storage.encryption` is at its default: then a store that is sealed stays so. */
  readonly encryptionIsGiven?: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked only when the store is sealed by a passphrase that the environment does not hold. */
  readonly askPassphrase: () => Promise<Secret | null>;
  /** Node's `process`, as far as the store needs it to tell processes apart. */
  readonly process: ThisProcess;
  readonly clock?: Clock;
  readonly random?: Random;
  /** For a caller that wants the notices of opening itself (a repaired file mode, a damaged file). */
  readonly bus?: Bus;
};

export type AuthorizationServer = {
  readonly tokenEndpoint: TokenEndpoint;
  /** Never throws. */
  refresh(account: Account): Promise<TokenAnswer>;
  /** Gives back what an account holds; an API key cannot be given back by this program. Never throws. */
  revoke(account: Account): Promise<RevokeAnswer>;
  readonly createApiKey: CreateApiKey;
};

export type Core = DataFolder & {
  readonly config: Config;
  readonly dir: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly store: Store;
  readonly upstream: Upstream;
  readonly authorizationServer: AuthorizationServer;
  readonly registry: Registry;
  readonly tokenWriter: TokenWriter;
  readonly refresher: Refresher;
  /** Follows the store; resolves at once in pass-through mode, where nothing is stored. */
  readonly reload: Reload;
  /** `work` goes on without whoever asked for it; `close` gives it a moment. */
  untilClosed<T>(work: Promise<T>): Promise<T>;
  /** Waits for refreshes and writes in flight, saves the history, closes every connection. */
  close(): Promise<void>;
};

/** Opens the data folder and reads the accounts. Throws `AppError` (`store-…`, `bad-config`, `unsafe-settings`). */
export const openCore = async (options: CoreOptions): Promise<Core> => {
  const { config, dir, version, environment, clock = createSystemClock(), random = systemRandom } = options;
  const bus = options.bus ?? createBus(clock);
  const store = createStore({ bus, version, mode: config.mode });
  const folder = openDataFolder(options, { clock, random, publish: bus.publish, hide: bus.hide });
  const upstream = createUpstream({ ...config.upstream, ca: folder.certificates }, environment);
  const outbound = outboundSecrets(config.upstream.proxy, environment);
  const authorizationServer = createAuthorizationServer({ fetch: upstream.fetch, clock, version, oauth: config.oauth });
  const registry = createRegistry({ clock, publish: bus.publish });
  bus.hide(registry.secrets);
  bus.hide(() => outbound);
  const tokenWriter = createTokenWriter({ clock, publish: bus.publish, store: folder.accounts, registry });
  bus.subscribe(folder.history.record, "the history file");
  const past = folder.history.load();
  store.remember(past.refreshes, clock.now());
  const refresher = createRefresher({
    clock,
    random,
    publish: bus.publish,
    store: folder.accounts,
    registry,
    tokenWriter,
    settings: refreshSettings(config),
    askForTokens: authorizationServer.refresh,
    past: past.refreshes,
  });
  const reload = config.mode === "oauth" ? createReload(folder.accounts, registry) : async () => {};
  await reload();
  const unfinished = new Set<Promise<unknown>>();
  const untilClosed = <T>(work: Promise<T>): Promise<T> => {
    const done = work.finally(() => unfinished.delete(done));
    unfinished.add(done);
    return done;
  };
  const close = async (): Promise<void> => {
    await refresher.drain();
    if (unfinished.size > 0) await Promise.race([Promise.allSettled(unfinished), sleep(clock, farewellMs)]);
    bus.flush();
    await folder.history.flush();
    await upstream.close();
  };
  return { ...folder, config, dir, version, clock, random, bus, store, upstream, authorizationServer, registry, tokenWriter, refresher, reload, untilClosed, close };
};

/** For what a command has left behind, such as a token that is given back. */
const farewellMs = 3000;

/** When tokens are refreshed, in milliseconds. */
export const refreshSettings = ({ oauth }: Pick<Config, "oauth">): { leadMs: number; mandatoryMs: number; rotateAfterMs: number } => ({
  leadMs: oauth.refreshLeadSeconds * 1000,
  mandatoryMs: oauth.refreshMandatorySeconds * 1000,
  rotateAfterMs: oauth.rotateAfterHours * 3_600_000,
});

/** For one call to the authorization server. */
const timeoutMs = 30_000;

/** The calls to the authorization server, with each account's own addresses instead of the configured ones. */
const createAuthorizationServer = ({ fetch, clock, version, oauth }: { fetch: typeof globalThis.fetch; clock: Clock; version: string; oauth: OAuthSettings }): AuthorizationServer => {
  const post: PostDeps = { fetch, clock, timeoutMs, userAgent: `claude-oauth-proxy/${version}` };
  const tokenEndpoint = createTokenEndpoint(post);
  const addressOf = ({ endpoints }: Account): { tokenUrl: string; clientId: string } => ({
    tokenUrl: endpoints?.tokenUrl ?? oauth.tokenUrl,
    clientId: endpoints?.clientId ?? oauth.clientId,
  });
  return {
    tokenEndpoint,
    async refresh(account) {
      if (account.refreshToken === null) return { outcome: "refused", errorCode: "no-refresh-token", message: "There is no refresh token.", status: 0 };
      return tokenEndpoint.refresh({ ...addressOf(account), refreshToken: account.refreshToken, accessToken: account.accessToken });
    },
    async revoke(account) {
      if (account.kind === "api_key") return { ok: false, message: "An API key is not revoked here: delete it in the console if it is not needed any more." };
      const hint = account.refreshToken === null ? "access_token" : "refresh_token";
      return tokenEndpoint.revoke({ ...addressOf(account), token: account.refreshToken ?? account.accessToken, hint });
    },
    createApiKey: createApiKeyMaker(post),
  };
};
