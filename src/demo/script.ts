// The rules in force, in the order they were given; each serves as often as it was asked to.
import type { Fault, Match, Rule } from "./fault.ts";
import { isInstead } from "./fault-instead.ts";

/** What a rule is compared with. */
export type Occasion = {
  readonly method: string;
  readonly path: string;
  readonly account: string | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Null while the body has not been read. */
  readonly grant: string | null;
};

export type RuleHandle = { used(): number; remove(): void };

export type Script = ReturnType<typeof createScript>;

const pathFits = (path: string | RegExp | undefined, actual: string): boolean => {
  if (path === undefined) return true;
  return typeof path === "string" ? path === actual : actual.search(path) >= 0;
};

const fits = (match: Match, occasion: Occasion): boolean =>
  (match.method ?? occasion.method) === occasion.method &&
  pathFits(match.path, occasion.path) &&
  (match.account ?? occasion.account) === occasion.account &&
  (match.grant ?? occasion.grant) === occasion.grant &&
  Object.entries(match.headers ?? {}).every(([name, value]) => occasion.headers[name] === value);

export const createScript = () => {
  const rules = new Set<{ readonly rule: Rule; used: number }>();

  /** The faults of the first rule that fits, counted as used; empty when there is none. */
  const take = (occasion: Occasion, early: boolean): readonly Fault[] => {
    for (const entry of rules) {
      const { rule } = entry;
      if ((rule.early ?? false) !== early || !fits(rule.match ?? {}, occasion)) continue;
      entry.used += 1;
      if (entry.used >= (rule.times ?? 1)) rules.delete(entry);
      return [rule.fault].flat() as readonly Fault[];
    }
    return [];
  };

  return {
    take,
    isEmpty: () => rules.size === 0,
    /** Throws `TypeError` when the rule makes no sense. */
    add(rule: Rule): RuleHandle {
      if (rule.early === true && ![rule.fault].flat().some((fault) => isInstead(fault as Fault))) {
        throw new TypeError("an early rule needs a fault that replaces the endpoint");
      }
      const entry = { rule, used: 0 };
      if ((rule.times ?? 1) > 0) rules.add(entry);
      return { used: () => entry.used, remove: () => void rules.delete(entry) };
    },
    clear: () => rules.clear(),
  };
};
