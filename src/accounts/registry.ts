// The authority over accounts in this process: which exist, how healthy they are, which token counts.
// Synchronous and in memory; tells every change as an event, never with a token or an e-mail address.
import type { Clock } from "../lib/clock.ts";
import { visibleText } from "../lib/visible-text.ts";
import { withoutEmail } from "../lib/redact.ts";
import type { Publish } from "../messages/bus.ts";
import type { Account } from "./account.ts";
import type { Answer } from "./health.ts";
import type { AccountEntry, Held } from "./held.ts";
import { createHeld, entryOf, isSuperseded, markNew, renew, sameTokens } from "./held.ts";
import type { Scope } from "./learn.ts";
import { cool, learn, markNeedsLogin, publishHealth, refuseToken, settle } from "./learn.ts";
import { publicLabel } from "./public-label.ts";

export type Registry = {
  /** Counts up whenever accounts came, went or were told anew: a reading of the store from before is then out of date. */
  revision(): number;
  list(): readonly AccountEntry[];
  get(accountId: string): AccountEntry | null;
  /** The registry follows the store: adds, removes, changes; a token that this process knows to be older is not taken. */
  replaceAll(stored: ReadonlyMap<string, Account>, reason?: string): void;
  /** One record of the store, silently as to its token; true when that gave a newer one. */
  adopt(stored: Account): boolean;
  /** Fresh from the token endpoint, and already durable (or about to be retried). */
  renewed(account: Account): void;
  /** A new sign-in or a new key, in the place of whatever was there. */
  put(account: Account): void;
  remove(accountId: string, reason: string): void;
  needsLogin(accountId: string, message: string): void;
  /** The upstream refused this access token although it looked alive. */
  tokenRefused(accountId: string): void;
  /** This process has seen the tokens of `stored` replaced. */
  isSuperseded(accountId: string, stored: Account): boolean;
  /** The store lacks what memory has: until that is over, its silence does not remove the account. */
  markUnsaved(accountId: string, unsaved: boolean): void;
  learn(accountId: string, answer: Answer): void;
  /** For a reason that no answer told. */
  cool(accountId: string, forMs: number, reason: string): void;
  /** Ends cool-downs that are over and notices tokens that ended without a refresh token. */
  settle(): void;
};

export type RegistryDeps = { readonly clock: Clock; readonly publish: Publish };

export const createRegistry = (deps: RegistryDeps): Registry => {
  const { clock, publish } = deps;
  const shelf = createShelf(deps);
  const { withHeld } = shelf;
  const scope = (held: Held): Scope => ({ held, clock, publish });
  return {
    revision: shelf.revision,
    list: () => shelf.all().map((held) => entryOf(held, clock)),
    get: (accountId) => entryOrNull(shelf.find(accountId), clock),
    replaceAll(stored, reason = "changed in the store") {
      for (const { account, unsaved } of shelf.all()) if (!stored.has(account.id) && !unsaved) shelf.remove(account.id, reason);
      for (const account of stored.values()) {
        const held = shelf.find(account.id);
        if (held === undefined) shelf.add(account);
        else if (follow(scope(held), account, reason)) {
          publish({ type: "token.adopted", accountId: account.id, reason: "lead", newExpiresAt: account.expiresAt, renewable: isRenewable(account), heldBy: null });
        }
      }
    },
    adopt(stored) {
      const held = shelf.find(stored.id);
      if (held !== undefined) return follow(scope(held), stored, "changed in the store");
      shelf.add(stored);
      return true;
    },
    renewed: (account) => withHeld(account.id, (held) => takeRenewed(scope(held), account)),
    put: shelf.put,
    remove: shelf.remove,
    needsLogin: (accountId, message) => withHeld(accountId, (held) => markNeedsLogin(scope(held), message)),
    tokenRefused: (accountId) => withHeld(accountId, (held) => refuseToken(scope(held))),
    isSuperseded: (accountId, stored) => isSuperseded(shelf.find(accountId), stored.accessToken),
    markUnsaved: (accountId, unsaved) => withHeld(accountId, (held) => void (held.unsaved = unsaved)),
    learn: (accountId, answer) => withHeld(accountId, (held) => learn(scope(held), answer)),
    cool: (accountId, forMs, reason) => withHeld(accountId, (held) => cool(scope(held), { forMs, reason, limited: false })),
    settle() {
      for (const held of shelf.all()) settle(scope(held));
    },
  };
};

/** Which accounts there are, and how often that was told anew. */
const createShelf = ({ clock, publish }: RegistryDeps) => {
  const accounts = new Map<string, Held>();
  let revision = 0;
  const add = (account: Account): void => {
    revision += 1;
    const held = createHeld(account, clock);
    accounts.set(account.id, held);
    publish(addedEvent(entryOf(held, clock)));
  };
  return {
    revision: () => revision,
    all: (): readonly Held[] => [...accounts.values()],
    find: (accountId: string): Held | undefined => accounts.get(accountId),
    withHeld(accountId: string, act: (held: Held) => void): void {
      const held = accounts.get(accountId);
      if (held !== undefined) act(held);
    },
    add,
    put(account: Account): void {
      const held = accounts.get(account.id);
      if (held === undefined) return add(account);
      revision += 1;
      renew(held, account, clock);
      held.cooling = null;
      publish(addedEvent(entryOf(held, clock)));
    },
    remove(accountId: string, reason: string): void {
      revision += 1;
      if (accounts.delete(accountId)) publish({ type: "account.removed", accountId, reason });
    },
  };
};

const takeRenewed = ({ held, clock, publish }: Scope, account: Account): void => {
  const wasRefused = held.needsLogin !== null;
  renew(held, account, clock);
  markNew(held, clock);
  if (wasRefused) publish({ type: "account.healthy", accountId: account.id });
};

const entryOrNull = (held: Held | undefined, clock: Clock): AccountEntry | null => (held === undefined ? null : entryOf(held, clock));

const addedEvent = ({ account, health }: AccountEntry) => ({
  type: "account.added" as const,
  accountId: account.id,
  kind: account.kind,
  label: publicLabel(account.label),
  enabled: account.enabled,
  priority: account.priority,
  expiresAt: account.expiresAt,
  renewable: isRenewable(account),
  health,
  lastError: account.lastError === null ? null : visibleText(withoutEmail(account.lastError)),
});

const isRenewable = ({ kind, refreshToken }: Account): boolean => kind === "oauth" && refreshToken !== null;

/** Everything but the tokens comes from the file; the tokens only when they are not older than ours. */
const takeTokens = (held: Held, stored: Account, clock: Clock): boolean => {
  const mine = held.account;
  if (isSuperseded(held, stored.accessToken)) {
    const { accessToken, refreshToken, expiresAt, refreshedAt } = mine;
    held.account = { ...stored, accessToken, refreshToken, expiresAt, refreshedAt };
    return false;
  }
  if (!sameTokens(mine, stored)) {
    renew(held, stored, clock);
    return true;
  }
  const moved = mine.expiresAt !== stored.expiresAt;
  held.account = stored;
  if (moved) held.endsAt = createHeld(stored, clock).endsAt;
  return false;
};

/** True when the record brought newer tokens. */
const follow = ({ held, clock, publish }: Scope, stored: Account, reason: string): boolean => {
  const before = entryOf(held, clock);
  const accountId = stored.id;
  const taken = takeTokens(held, stored, clock);
  if (taken && before.health === "needs-login") publish({ type: "account.healthy", accountId });
  if (before.account.enabled !== stored.enabled) publish({ type: stored.enabled ? "account.enabled" : "account.disabled", accountId, reason });
  if (!before.account.enabled && stored.enabled) publishHealth({ held, clock, publish });
  if (before.account.label !== stored.label || before.account.priority !== stored.priority) {
    publish({ type: "account.changed", accountId, label: publicLabel(stored.label), priority: stored.priority });
  }
  return taken;
};
