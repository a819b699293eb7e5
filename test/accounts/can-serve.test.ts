import { describe, expect, it } from "vitest";
import { canServe } from "../../src/accounts/can-serve.ts";
import type { CredentialRequest } from "../../src/accounts/credentials.ts";
import { someAccountServes } from "../../src/accounts/credentials.ts";
import type { Event } from "../../src/messages/events.ts";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import { canServe as rowServes } from "../../src/state/select.ts";
import { accountsOf } from "./an-account.ts";
import type { Engine } from "./an-engine.ts";
import { anyone, createEngine, granted } from "./an-engine.ts";
import type { ServingCase } from "./serving-cases.ts";
import { servingCases } from "./serving-cases.ts";

const facts = { enabled: true, expiresAt: 1000, renewable: false, nextRefreshAt: null };

describe("canServe", () => {
  it.each([
    ["a token that lives", {}, 999, true],
    ["a token that has just ended", {}, 1000, false],
    ["an ended token that can be refreshed", { renewable: true }, 1000, true],
    ["an ended token a moment before the next try", { renewable: true, nextRefreshAt: 1500 }, 1499, false],
    ["an ended token at the moment of the next try", { renewable: true, nextRefreshAt: 1500 }, 1500, true],
    ["a token without a known end", { expiresAt: null }, 1e15, true],
    ["a disabled account", { enabled: false }, 0, false],
  ])("%s", (_name, change, now, serves) => expect(canServe({ ...facts, ...change }, now)).toBe(serves));
});

const prepared = async ({ accounts, answer, named, before }: ServingCase): Promise<{ engine: Engine; wish: CredentialRequest }> => {
  const engine = await createEngine(accountsOf(...accounts));
  engine.answer = (_account, call) => answer ?? granted(call, engine.clock);
  const wish = { ...anyone, accountId: named ?? null };
  if (before === "refresh") await engine.refresher.refresh("ada", "manual");
  else if (before !== undefined) {
    const outcome = await engine.credentials.acquire(wish);
    if (!outcome.ok) throw new Error(outcome.message);
    engine.credentials.observe(outcome.credential, { status: before === "401" ? 401 : before.status, headers: {} });
    if (before === "401") await engine.credentials.renew(outcome.credential);
  }
  return { engine, wish };
};

/** The dashboard's answer, from the events alone. */
const dashboardSays = ({ events, clock }: Engine, named: string | null): boolean => {
  const stamped = events.map((event, seq) => ({ ...event, at: clock.now(), seq }) as Event);
  const { accounts } = reduceAll(initialState({ version: "1", mode: "oauth" }), stamped);
  return accounts.some((row) => (named === null || row.id === named) && rowServes(row, clock.now()));
};

describe("a request gets a credential exactly when it is said that one can be had", () => {
  it.each(servingCases)("$name: $serves", async (serving) => {
    const { engine, wish } = await prepared(serving);
    expect({
      said: someAccountServes(engine, wish.accountId),
      dashboard: dashboardSays(engine, wish.accountId),
      request: (await engine.credentials.acquire(wish)).ok,
    }).toEqual({ said: serving.serves, dashboard: serving.serves, request: serving.serves });
  });
});
