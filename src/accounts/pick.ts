// Which account serves a request. Pure. An account at a limit is still better than none, because then
// the client sees the upstream's own answer; only an account without a usable credential is left out.
import type { AccountHealth, PickReason } from "../messages/events.ts";

export type Candidate = {
  readonly id: string;
  readonly health: AccountHealth;
  /** Lower comes first. */
  readonly priority: number;
  /** Has a token that can be sent, or one that can be had by a refresh. */
  readonly usable: boolean;
  /** Wall milliseconds until which it cools or is limited. */
  readonly coolingUntil: number | null;
};

export type PickWish = {
  readonly strategy: "round-robin" | "priority";
  /** Asked for by name. */
  readonly named: string | null;
  /** The account this session used last. */
  readonly sticky: string | null;
  /** The account picked last in turn: the next one after it comes, in the order of ids. */
  readonly last: string | null;
};

export type Picked = { readonly id: string; readonly reason: PickReason };

/** Null when no account that may be used has a usable credential. */
export const pick = (candidates: readonly Candidate[], wish: PickWish): Picked | null => {
  const able = candidates.filter(({ usable, health }) => usable && health !== "disabled");
  if (wish.named !== null) return able.some(({ id }) => id === wish.named) ? { id: wish.named, reason: "named" } : null;
  const healthy = able.filter(({ health }) => health === "healthy");
  if (healthy.length === 0) return leastBad(able, wish.sticky);
  if (candidates.length === 1) return { id: healthy[0]?.id ?? "", reason: "only" };
  if (wish.sticky !== null && healthy.some(({ id }) => id === wish.sticky)) return { id: wish.sticky, reason: "sticky" };
  return inTurn(wish.strategy === "priority" ? foremost(healthy) : healthy, wish);
};

const foremost = (healthy: readonly Candidate[]): readonly Candidate[] => {
  const first = Math.min(...healthy.map(({ priority }) => priority));
  return healthy.filter(({ priority }) => priority === first);
};

// By id, not by position: the list may change between two picks.
const inTurn = (among: readonly Candidate[], { strategy, last }: PickWish): Picked | null => {
  const ids = among.map(({ id }) => id).toSorted();
  const id = ids.find((each) => last !== null && each > last) ?? ids[0];
  return id === undefined ? null : { id, reason: strategy };
};

// Still valid but to be signed in again, then the one that cools down first; a limit is worse than a
// throttle. Among equals the session stays where its prompt cache is.
const badness: Readonly<Record<AccountHealth, number>> = { healthy: 0, "needs-login": 1, cooling: 2, limited: 3, disabled: 4 };

const leastBad = (able: readonly Candidate[], sticky: string | null): Picked | null => {
  const ranked = able.toSorted(
    (one, other) =>
      badness[one.health] - badness[other.health] ||
      (one.coolingUntil ?? 0) - (other.coolingUntil ?? 0) ||
      Number(other.id === sticky) - Number(one.id === sticky) ||
      one.priority - other.priority,
  );
  return ranked[0] === undefined ? null : { id: ranked[0].id, reason: "least-bad" };
};
