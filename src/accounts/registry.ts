// The authority over accounts in this process: which exist, how healthy they are, which token counts. Synchronous and in
// memory. It publishes every change as an event, never with a token or an e-mail address.
import { withoutEmail } from "../lib/redact.ts";
import type { Secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Account, AccountStore } from "./account.ts";
import { AccountState, holdsRefreshToken, publicLabel } from "./account-state.ts";
import type { AccountEntry, AccountStateDeps } from "./account-state.ts";
import type { UpstreamResponse } from "./health.ts";

export type Registry = {
  /** Counts up whenever an account came, went or was replaced: a reading of the store from before is then out of date. */
  revision(): number;
  list(): readonly AccountEntry[];
  get(accountId: string): AccountEntry | null;
  /** Every token and every key that is held now. */
  secrets(): Iterable<Secret>;
  /** The registry follows the store: adds, removes, changes; a token that this process knows to be older is not taken. */
  replaceAll(stored: ReadonlyMap<string, Account>, reason?: string): void;
  /** One record of the store, silently as to its token; true when that gave a newer one. */
  adopt(stored: Account): boolean;
  /** Fresh from the token endpoint, and already durable (or about to be retried). */
  renewed(account: Account): void;
  /** A new sign-in or a new key, in the place of what was there. */
  put(account: Account): void;
  remove(accountId: string, reason: string): void;
  needsLogin(accountId: string, message: string): void;
  /** The upstream refused this access token although it looked alive. */
  tokenRefused(accountId: string): void;
  /** This process has seen the tokens of `stored` replaced. */
  isSuperseded(accountId: string, stored: Account): boolean;
  /** The store lacks what memory has: until that is over, its silence does not remove the account. */
  markUnsaved(accountId: string, unsaved: boolean): void;
  /** Health and limits follow from what the upstream answers. Header names are lower case. */
  observe(accountId: string, response: UpstreamResponse): void;
  /** For a reason that no answer gave. */
  cool(accountId: string, forMs: number, reason: string): void;
  /** Ends cool-downs that are over and notices tokens that ended without a refresh token. */
  expire(): void;
};

export const createRegistry = (deps: AccountStateDeps): Registry => {
  const { publish } = deps;
  const states = new Map<string, AccountState>();
  let revision = 0;

  const add = (account: Account): void => {
    revision += 1;
    const state = new AccountState(account, deps);
    states.set(account.id, state);
    publish(addedEvent(state.entry()));
  };

  const remove = (accountId: string, reason: string): void => {
    revision += 1;
    if (states.delete(accountId)) publish({ type: "account.removed", accountId, reason });
  };

  return {
    revision: () => revision,
    list: () => [...states.values()].map((state) => state.entry()),
    get: (accountId) => states.get(accountId)?.entry() ?? null,
    *secrets() {
      for (const state of states.values()) yield* state.secrets();
    },
    replaceAll(stored, reason = "changed in the store") {
      for (const [accountId, { isUnsaved }] of states) if (!stored.has(accountId) && !isUnsaved) remove(accountId, reason);
      for (const account of stored.values()) {
        const state = states.get(account.id);
        if (state === undefined) add(account);
        else if (state.follow(account, reason)) {
          publish({ type: "token.adopted", accountId: account.id, reason: "lead", newExpiresAt: account.expiresAt, renewable: holdsRefreshToken(account), heldBy: null });
        }
      }
    },
    adopt(stored) {
      const state = states.get(stored.id);
      if (state !== undefined) return state.follow(stored, "changed in the store");
      add(stored);
      return true;
    },
    renewed: (account) => states.get(account.id)?.renewed(account),
    put(account) {
      const state = states.get(account.id);
      if (state === undefined) return add(account);
      revision += 1;
      state.replace(account);
      publish(addedEvent(state.entry()));
    },
    remove,
    needsLogin: (accountId, message) => states.get(accountId)?.needsLogin(message),
    tokenRefused: (accountId) => states.get(accountId)?.refuseToken(),
    isSuperseded: (accountId, stored) => states.get(accountId)?.isSuperseded(stored.accessToken) ?? false,
    markUnsaved(accountId, unsaved) {
      const state = states.get(accountId);
      if (state !== undefined) state.isUnsaved = unsaved;
    },
    observe: (accountId, response) => states.get(accountId)?.observe(response),
    cool: (accountId, forMs, reason) => states.get(accountId)?.cool({ forMs, reason, limited: false }),
    expire() {
      for (const state of states.values()) state.expire();
    },
  };
};

const addedEvent = ({ account, health }: AccountEntry) => ({
  type: "account.added" as const,
  accountId: account.id,
  kind: account.kind,
  label: publicLabel(account),
  enabled: account.enabled,
  priority: account.priority,
  expiresAt: account.expiresAt,
  renewable: holdsRefreshToken(account),
  health,
  lastError: account.lastError === null ? null : visibleText(withoutEmail(account.lastError)),
});

/** Follows the store: what another process signed in, refreshed, disabled or removed. Throws what the store throws. */
export type Reload = () => Promise<void>;

/** A reading that was overtaken by a sign-in or a removal in this process is dropped: the next one will know better. */
export const createReload = (store: Pick<AccountStore, "load">, registry: Registry): Reload => async () => {
  const revision = registry.revision();
  const stored = await store.load();
  if (registry.revision() === revision) registry.replaceAll(stored);
};
