// The credential for one request. Answers at once while a token is fresh; a request waits only inside the
// mandatory window, and never longer than the token it already has would live.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Account } from "./account.ts";
import { canServe } from "./can-serve.ts";
import type { ServingFacts } from "./can-serve.ts";
import type { Credential, CredentialOutcome, Credentials, CredentialWish } from "./credential.ts";
import type { AccountEntry } from "./held.ts";
import { nobodyServes } from "./nobody-serves.ts";
import type { Picked } from "./pick.ts";
import { pick } from "./pick.ts";
import type { PlanSettings } from "./refresh-plan.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry } from "./registry.ts";
import type { Reload } from "./reload.ts";
import { createRenew } from "./renew.ts";
import { createSticky } from "./sticky.ts";

export type CredentialsDeps = {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly refresher: Pick<Refresher, "refresh" | "nextTryAt" | "lastFailure">;
  readonly reload: Reload;
  readonly settings: PlanSettings & { readonly strategy: "round-robin" | "priority"; readonly sticky: boolean };
};

const nobody: ReadonlySet<string> = new Set();

/** A server that could not be reached is tried again after this long, by one request that another account then takes over. */
const unreachableMs = 30_000;

/** As long as after a refusal for billing reasons: nothing that a minute would change. */
const refusedMs = 300_000;

/** With a token that still lives, a request waits for its successor this long at most. */
const longestWaitMs = 10_000;

export const createCredentials = (deps: CredentialsDeps): Credentials => {
  const { clock, registry, refresher, settings } = deps;
  const sticky = createSticky();
  const reload = createSparingReload(deps);
  let last: string | null = null;

  const choose = (wish: CredentialWish, tried: ReadonlySet<string>): Picked | null => {
    const session = settings.sticky ? wish.sessionId : null;
    const candidates = registry.list().map((entry) => candidateOf(entry, deps, tried));
    const picked = pick(candidates, { strategy: settings.strategy, named: wish.accountId, sticky: session === null ? null : sticky.get(session), last });
    if (picked === null || picked.reason === "named") return picked;
    if (session !== null) sticky.set(session, picked.id);
    if (picked.reason === settings.strategy) last = picked.id;
    return picked;
  };

  const serve = (wish: CredentialWish, tried: ReadonlySet<string>): CredentialOutcome | Promise<CredentialOutcome> => {
    const picked = choose(wish, tried);
    const entry = picked === null ? null : registry.get(picked.id);
    if (picked === null || entry === null) return reload(tried.size > 0, () => serve(wish, new Set([...tried, ""]))) ?? nobodyServes(deps, wish);
    return mustWait(entry, settings, refresher) ? afterRefresh(wish, picked, tried) : given(entry, picked);
  };

  const afterRefresh = async (wish: CredentialWish, picked: Picked, tried: ReadonlySet<string>): Promise<CredentialOutcome> => {
    const remainingMs = registry.get(picked.id)?.remainingMs ?? 0;
    const refreshed = refresher.refresh(picked.id, "mandatory");
    await (remainingMs > 0 ? Promise.race([refreshed, sleep(clock, Math.min(longestWaitMs, remainingMs / 2))]) : refreshed);
    const entry = registry.get(picked.id);
    return entry !== null && isAlive(entry) ? given(entry, picked) : serve(wish, new Set([...tried, picked.id]));
  };

  const { renew, wasJustBrought } = createRenew(deps);

  return {
    acquire(wish) {
      registry.settle();
      return serve(wish, nobody);
    },
    renew,
    elsewhere(used, { sessionId, reason, unreachable }) {
      registry.settle();
      const entries = registry.list();
      const unfit = entries.filter(({ account, health }) => health !== "healthy" || unreachable.includes(baseUrlOf(account)));
      if (used.reason === "named" || unfit.length === entries.length) return null;
      registry.cool(used.accountId, unreachableMs, `its server cannot be reached (${reason})`);
      return credentialIn(serve({ sessionId, accountId: null }, new Set(unfit.map(({ account }) => account.id))));
    },
    learn(used, answer) {
      registry.learn(used.accountId, answer);
      // Then it is not about the token, and a refresh with every request would not help.
      if (answer.status === 401 && wasJustBrought(used)) registry.cool(used.accountId, refusedMs, "the upstream refuses this account with a new token too (401)");
    },
  };
};

const credentialIn = async (outcome: CredentialOutcome | Promise<CredentialOutcome>): Promise<Credential | null> => {
  const given = await outcome;
  return given.ok ? given.credential : null;
};

const given = ({ account }: AccountEntry, { reason }: Picked): CredentialOutcome => ({ ok: true, credential: credentialOf(account, reason) });

/** What is sent for `account`. */
export const credentialOf = (account: Account, reason: Credential["reason"]): Credential => ({
  accountId: account.id,
  kind: account.kind,
  token: account.accessToken,
  baseUrl: baseUrlOf(account),
  reason,
});

const baseUrlOf = (account: Account): string | null => account.endpoints?.baseUrl ?? null;

const isAlive = ({ remainingMs }: AccountEntry): boolean => remainingMs === null || remainingMs > 0;

export type ServingDeps = { readonly clock: Clock; readonly registry: Pick<Registry, "list">; readonly refresher: Pick<Refresher, "nextTryAt"> };

/** True when a request that comes now gets a credential: of `accountId`, or of any account when that is null. */
export const someAccountServes = ({ clock, registry, refresher }: ServingDeps, accountId: string | null): boolean =>
  registry.list().some((entry) => (accountId === null || entry.account.id === accountId) && canServe(servingFactsOf(entry, { clock, refresher }), clock.now()));

const servingFactsOf = ({ account, remainingMs, renewable }: AccountEntry, { clock, refresher }: Omit<ServingDeps, "registry">): ServingFacts => ({
  enabled: account.enabled,
  expiresAt: remainingMs === null ? null : clock.now() + remainingMs,
  renewable,
  nextRefreshAt: refresher.nextTryAt(account.id),
});

const candidateOf = (entry: AccountEntry, deps: CredentialsDeps, tried: ReadonlySet<string>) => ({
  id: entry.account.id,
  health: entry.health,
  priority: entry.account.priority,
  usable: !tried.has(entry.account.id) && canServe(servingFactsOf(entry, deps), deps.clock.now()),
  coolingUntil: entry.cooling?.until ?? null,
});

const mustWait = (entry: AccountEntry, settings: PlanSettings, refresher: CredentialsDeps["refresher"]): boolean =>
  entry.renewable &&
  !entry.isNew &&
  refreshNeed({ remainingMs: entry.remainingMs, ageMs: null }, settings).need === "now" &&
  refresher.nextTryAt(entry.account.id) === null;

type SparingReload = (already: boolean, then: () => CredentialOutcome | Promise<CredentialOutcome>) => Promise<CredentialOutcome> | null;

// Somebody may have signed in from another process a moment ago: before a request is turned away the
// store is read once, but not more than once a second.
const createSparingReload = ({ clock, reload }: CredentialsDeps): SparingReload => {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (already, then) => {
    if (already || clock.monotonic() - lastAt < 1000) return null;
    lastAt = clock.monotonic();
    return reload().then(then, then);
  };
};
