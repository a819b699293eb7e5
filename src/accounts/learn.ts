// What one held account learns: from answers of the upstream, and from time that passed. Says each change
// once, as an event.
import type { Clock } from "../lib/clock.ts";
import { visibleText } from "../lib/visible-text.ts";
import { withoutEmail } from "../lib/redact.ts";
import type { Publish } from "../messages/bus.ts";
import type { Answer } from "./health.ts";
import { lessonOf } from "./health.ts";
import type { Held } from "./held.ts";
import { endToken, entryOf } from "./held.ts";
import type { LimitReading } from "./limits.ts";
import { isNews, readLimits } from "./limits.ts";

/** One held account with what is needed to speak about it. */
export type Scope = { readonly held: Held; readonly clock: Clock; readonly publish: Publish };

/** More windows than any account has. */
const mostWindows = 40;

/** Takes health and limits from one answer. */
export const learn = (scope: Scope, answer: Answer): void => {
  const { held, clock } = scope;
  const readings = readLimits(answer.headers);
  for (const reading of readings) note(scope, reading);
  learnOfKey(scope, answer.status);
  const lesson = lessonOf(answer, readings, { strikes: held.strikes, limited: held.cooling?.limited === true }, clock.now());
  if (lesson.learnt === "strike" || lesson.learnt === "cool") held.strikes += 1;
  if (lesson.learnt === "cool") cool(scope, lesson);
  if (lesson.learnt !== "well") return;
  held.strikes = 0;
  if (lesson.clears) endCooling(scope);
};

// A key has no refresher that could find out; it stays in use, so that the client sees the upstream's words.
const learnOfKey = (scope: Scope, status: number): void => {
  const { held, publish } = scope;
  if (held.account.kind !== "api_key") return;
  if (status === 401) markNeedsLogin(scope, "The upstream refuses this API key (401). Add a new one.");
  if (status >= 300 || held.needsLogin === null) return;
  held.needsLogin = null;
  publish({ type: "account.healthy", accountId: held.account.id });
};

const note = ({ held, clock, publish }: Scope, reading: LimitReading): void => {
  const known = held.limits.get(reading.window);
  if (known === undefined && held.limits.size >= mostWindows) return;
  if (!isNews(known, reading, clock.now())) return;
  held.limits.set(reading.window, { reading, readAt: clock.now() });
  publish({ type: "limits.updated", accountId: held.account.id, ...reading });
};

/** Lets it cool, and says so unless it does already for as long. */
export const cool = ({ held, clock, publish }: Scope, { forMs, reason, limited }: { forMs: number; reason: string; limited: boolean }): void => {
  const endsAt = clock.monotonic() + forMs;
  const running = held.cooling;
  // Ten requests that hit the same limit are one fact.
  const isSame = running !== null && running.limited === limited && Math.abs(running.endsAt - endsAt) < 2000;
  held.cooling = { until: clock.now() + forMs, endsAt, reason, limited };
  if (!isSame) publish({ type: "account.cooling", accountId: held.account.id, until: held.cooling.until, reason, limited });
};

const endCooling = ({ held, publish }: Scope): void => {
  if (held.cooling === null) return;
  held.cooling = null;
  if (held.account.enabled && held.needsLogin === null) publish({ type: "account.healthy", accountId: held.account.id });
};

/** Ends a cool-down that is over; notices a token that ended and cannot be refreshed. */
export const settle = (scope: Scope): void => {
  const { held, clock } = scope;
  if (held.cooling !== null && held.cooling.endsAt <= clock.monotonic()) endCooling(scope);
  const { account, needsLogin } = held;
  if (account.kind !== "oauth" || account.refreshToken !== null || needsLogin !== null) return;
  if ((entryOf(held, clock).remainingMs ?? 1) <= 0) markNeedsLogin(scope, "The token has ended and there is no refresh token. Sign in again.");
};

/** Remembers the words of a refusal until other tokens come; says it once. */
export const markNeedsLogin = (scope: Scope, message: string): void => {
  const safe = visibleText(withoutEmail(message));
  if (scope.held.needsLogin === safe) return;
  scope.held.needsLogin = safe;
  publishNeedsLogin(scope);
};

/** The upstream refused the access token although its expiry lies ahead: it is not sent again. */
export const refuseToken = (scope: Scope): void => {
  const { held, clock } = scope;
  if ((entryOf(held, clock).remainingMs ?? 1) <= 0) return;
  endToken(held, clock);
  publishNeedsLogin(scope);
};

const publishNeedsLogin = ({ held, clock, publish }: Scope): void => {
  const { needsLogin, remainingMs } = entryOf(held, clock);
  if (needsLogin === null) return;
  const expiresAt = remainingMs === null ? null : Math.round(clock.now() + remainingMs);
  publish({ type: "account.needs-login", accountId: held.account.id, message: needsLogin, expiresAt });
};

/** What an account that is enabled again is, unless it is healthy. */
export const publishHealth = (scope: Scope): void => {
  const { held, clock, publish } = scope;
  const { health, cooling } = entryOf(held, clock);
  if (health === "needs-login") publishNeedsLogin(scope);
  if (cooling !== null && (health === "cooling" || health === "limited")) {
    publish({ type: "account.cooling", accountId: held.account.id, until: cooling.until, reason: cooling.reason, limited: cooling.limited });
  }
};
