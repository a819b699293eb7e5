// One process's worth of accounts over a memory store, with a token endpoint whose answers a test scripts.
import type { Account } from "../../src/accounts/account.ts";
import { createCredentials } from "../../src/accounts/credentials.ts";
import { createTokenWriter } from "../../src/accounts/token-writer.ts";
import { createRefresher } from "../../src/accounts/refresher.ts";
import { createRegistry, createReload } from "../../src/accounts/registry.ts";
import { createRefreshLoop } from "../../src/accounts/refresh-loop.ts";
import type { CredentialOutcome } from "../../src/accounts/credentials.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft, EventType } from "../../src/messages/events.ts";
import type { RefreshFact } from "../../src/messages/refresh-fact.ts";
import type { TokenAnswer, TokenGrant } from "../../src/messages/tokens.ts";
import type { FakeClock } from "../helpers/fake-clock.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { hour, minute } from "./an-account.ts";
import type { MemoryStore } from "./memory-store.ts";
import { createMemoryStore } from "./memory-store.ts";

export const planSettings = { leadMs: 5 * minute, mandatoryMs: minute, rotateAfterMs: 0 };

export type Answering = (account: Account, call: number) => TokenAnswer | Promise<TokenAnswer>;

export const createEngine = async (
  accounts: ReadonlyMap<string, Account> | MemoryStore,
  parts: { clock?: FakeClock; answer?: Answering; strategy?: "round-robin" | "priority"; sticky?: boolean; past?: readonly RefreshFact[]; rotateAfterMs?: number } = {},
) => {
  const clock = parts.clock ?? createFakeClock();
  const store = "load" in accounts ? accounts : createMemoryStore(accounts);
  const events: EventDraft[] = [];
  const publish = (event: EventDraft): void => void events.push(event);
  const sent: string[] = [];
  const registry = createRegistry({ clock, publish });
  const tokenWriter = createTokenWriter({ clock, publish, store, registry });
  const settings = { ...planSettings, rotateAfterMs: parts.rotateAfterMs ?? 0 };
  const engine = {
    clock, store, events, registry, tokenWriter, sent, settings,
    storeChanged: false,
    /** Replaced by tests in the middle of a story. */
    answer: parts.answer ?? ((_account: Account, call: number) => granted(call, clock)),
  };
  const askForTokens = async (account: Account): Promise<TokenAnswer> => {
    sent.push(account.refreshToken?.reveal() ?? "");
    return engine.answer(account, sent.length);
  };
  const refresher = createRefresher({
    clock, publish, store, registry, tokenWriter, settings, askForTokens,
    random: (size) => Uint8Array.from({ length: size }, (_byte, index) => (index === 0 ? 128 : 0)),
    past: parts.past ?? [],
  });
  const reload = createReload(store, registry);
  const credentials = createCredentials({
    clock, registry, refresher, reload,
    settings: { ...settings, strategy: parts.strategy ?? "round-robin", sticky: parts.sticky ?? true },
  });
  const refreshLoop = createRefreshLoop({ clock, publish, registry, refresher, reload, storeChanged: () => engine.storeChanged, settings: { ...settings, everyMs: 30_000 } });
  await reload();
  return Object.assign(engine, { refresher, credentials, refreshLoop, reload });
};

export type Engine = Awaited<ReturnType<typeof createEngine>>;

export const aGrant = (name: string | number, expiresAt: number, change: Partial<TokenGrant> = {}): TokenGrant => ({
  accessToken: secret(`access-${name}`),
  refreshToken: secret(`refresh-${name}`),
  expiresAt,
  scopes: null,
  organization: null,
  account: null,
  ...change,
});

export const granted = (name: string | number, clock: FakeClock, lifeMs = 8 * hour): TokenAnswer => ({
  outcome: "granted",
  grant: aGrant(name, clock.now() + lifeMs),
});

export const refusedGrant: TokenAnswer = { outcome: "refused", errorCode: "invalid_grant", message: "Refresh token not found or invalid", status: 400 };
export const lostAnswer: TokenAnswer = { outcome: "unknown", errorCode: "UND_ERR_SOCKET", message: "The connection broke." };
export const laterAnswer = (retryAfterMs: number | null = null): TokenAnswer => ({ outcome: "later", errorCode: "http-500", message: "The token endpoint answered 500.", status: 500, retryAfterMs });

/** What the timeline says of a refresh that failed in an earlier process. */
export const failedBefore = (accountId: string, nextTryAt: number): RefreshFact => ({
  at: 0, accountId, outcome: "failed", reason: "lead", durationMs: null, oldExpiresAt: null, newExpiresAt: null, heldBy: null,
  errorCode: "http-429", message: "slow down", failures: 4, nextTryAt,
});

export const typesOf = (events: readonly EventDraft[]): readonly EventType[] => events.map(({ type }) => type);

export const eventsOf = <T extends EventType>(events: readonly EventDraft[], type: T) =>
  events.filter((event): event is Extract<EventDraft, { type: T }> => event.type === type);

/** The access token of an outcome, or its refusal's sentence. */
export const tokenOf = (outcome: CredentialOutcome): string => (outcome.ok ? outcome.credential.token.reveal() : outcome.message);

export const anyone = { sessionId: null, accountId: null };
