// One sign-in with a token endpoint that answers as it is told, a store that keeps or asks, and one browser.
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import type { AskedIdentity } from "../../src/messages/identity.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createLoginFlow } from "../../src/oauth/login-flow.ts";
import type { GrantedLogin } from "../../src/oauth/login-attempt.ts";
import type { ExchangeRequest } from "../../src/oauth/token-endpoint.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { settings } from "./settings.ts";

export const grant = { accessToken: secret("access-1"), refreshToken: secret("refresh-1"), expiresAt: 1, scopes: null, organization: null, account: null };
export const grantedAnswer: TokenAnswer = { outcome: "granted", grant };
export const usedUp: TokenAnswer = { outcome: "refused", errorCode: "invalid_grant", message: "Invalid code", status: 400 };
export const unreachable: TokenAnswer = { outcome: "later", errorCode: "ENOTFOUND", message: "Could not reach token.example: ENOTFOUND.", status: null, retryAfterMs: null };

const stateOf = (link: string | null): string => new URL(link ?? "").searchParams.get("state") ?? "";

export const createStory = (...answers: (TokenAnswer | Promise<TokenAnswer>)[]) => {
  const clock = createFakeClock();
  const events: EventDraft[] = [];
  const exchanges: ExchangeRequest[] = [];
  const [kept, givenBack]: [GrantedLogin[], GrantedLogin[]] = [[], []];
  const story = { keepFault: null as Error | null, asked: null as AskedIdentity | null, returns: true, revokes: true };
  const flow = createLoginFlow({
    clock,
    random: systemRandom,
    publish: (event) => void events.push(event),
    settings,
    loopback: () => ({ origin: "http://localhost:4001", returns: story.returns }),
    giveBack: async (login) => {
      givenBack.push(login);
      return story.revokes ? { ok: true } : { ok: false, message: "No answer." };
    },
    tokenEndpoint: {
      exchange: async (request) => {
        exchanges.push(request);
        return answers[exchanges.length - 1] ?? grantedAnswer;
      },
    },
    keep: async (login, accepted) => {
      if (story.asked !== null && accepted?.email !== story.asked.email) return { asked: story.asked };
      kept.push(login);
      if (story.keepFault !== null) throw story.keepFault;
      return { accountId: "ada", expiresAt: 1 };
    },
  });
  const codes = (): { paste: string; callback: string } => {
    const attempt = flow.pending();
    return { paste: `code-1#${stateOf(attempt?.authorizeUrl ?? null)}`, callback: `?code=code-2&state=${attempt?.states[1] ?? ""}` };
  };
  const browser = { cookies: "" };
  /** The one browser of this story opens the link: where that leads. */
  const visit = (): string => {
    const token = flow.pending()?.shortUrl?.split("/login/")[1] ?? "";
    const opened = flow.openLink({ token, cookie: browser.cookies, host: "localhost:4001" });
    if (opened.result !== "open") return opened.result;
    browser.cookies = [browser.cookies, opened.setCookie?.split(";")[0] ?? ""].filter(Boolean).join("; ");
    return opened.location;
  };
  /** It opens the link, if it can, and comes back with `query`. */
  const comeBack = (query: string) => {
    visit();
    return flow.completeCallback({ query, cookie: browser.cookies });
  };
  const paste = (text: string, attemptId: string | null = null) => flow.submit(secret(text), attemptId);
  const failures = (): readonly string[] => events.flatMap((event) => (event.type === "login.failed" ? event.errorCode : []));
  return Object.assign(story, { clock, events, exchanges, kept, givenBack, flow, codes, browser, visit, comeBack, paste, failures });
};

