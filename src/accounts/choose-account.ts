// Which account serves a request. Pure. An account at a limit is still better than none, because then the client sees the
// upstream's own answer; only an account that cannot serve is left out.
import type { AccountHealth, PickReason } from "../messages/events.ts";

export type Candidate = {
  readonly id: string;
  readonly health: AccountHealth;
  /** Lower comes first. */
  readonly priority: number;
  /** `canServe` says so, and it was not tried in vain for this request. */
  readonly usable: boolean;
  /** Wall milliseconds until which it cools or is limited. */
  readonly coolingUntil: number | null;
};

export type ChoiceOptions = {
  readonly strategy: "round-robin" | "priority";
  /** The account that was asked for by name; no other one is taken in its place. */
  readonly named: string | null;
  /** The account that this session used last. */
  readonly sticky: string | null;
  /** The account that was chosen last in turn: the next one after it comes, in the order of ids. */
  readonly last: string | null;
};

export type Choice = { readonly id: string; readonly reason: PickReason };

/** Null when no account that may be used is usable. */
export const chooseAccount = (candidates: readonly Candidate[], options: ChoiceOptions): Choice | null => {
  const usable = candidates.filter((candidate) => candidate.usable && candidate.health !== "disabled");
  if (options.named !== null) return usable.some(({ id }) => id === options.named) ? { id: options.named, reason: "named" } : null;
  const healthy = usable.filter(({ health }) => health === "healthy");
  if (healthy.length === 0) return leastBad(usable, options.sticky);
  if (candidates.length === 1) return { id: healthy[0]?.id ?? "", reason: "only" };
  if (options.sticky !== null && healthy.some(({ id }) => id === options.sticky)) return { id: options.sticky, reason: "sticky" };
  return inTurn(options.strategy === "priority" ? ofFirstPriority(healthy) : healthy, options);
};

const ofFirstPriority = (healthy: readonly Candidate[]): readonly Candidate[] => {
  const first = Math.min(...healthy.map(({ priority }) => priority));
  return healthy.filter(({ priority }) => priority === first);
};

// By id, not by position: the list may change between two choices.
const inTurn = (among: readonly Candidate[], { strategy, last }: ChoiceOptions): Choice | null => {
  const ids = among.map(({ id }) => id).toSorted();
  const id = ids.find((each) => last !== null && each > last) ?? ids[0];
  return id === undefined ? null : { id, reason: strategy };
};

// Still valid but to be signed in again, then the one that cools down first; a limit is worse than a
// throttle. Among equals the session stays where its prompt cache is.
const badness: Readonly<Record<AccountHealth, number>> = { healthy: 0, "needs-login": 1, cooling: 2, limited: 3, disabled: 4 };

const leastBad = (usable: readonly Candidate[], sticky: string | null): Choice | null => {
  const [first] = usable.toSorted(
    (one, other) =>
      badness[one.health] - badness[other.health] ||
      (one.coolingUntil ?? 0) - (other.coolingUntil ?? 0) ||
      Number(other.id === sticky) - Number(one.id === sticky) ||
      one.priority - other.priority,
  );
  return first === undefined ? null : { id: first.id, reason: "least-bad" };
};
