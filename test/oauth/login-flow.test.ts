import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { AppError } from "../../src/messages/errors.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createLoginFlow } from "../../src/oauth/login-flow.ts";
import type { GrantedLogin } from "../../src/oauth/login-flow.ts";
import type { ExchangeRequest } from "../../src/oauth/token-endpoint.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { settings } from "./settings.ts";

const grant = { accessToken: secret("access-1"), refreshToken: secret("refresh-1"), expiresAt: 1, scopes: null, organization: null, account: null };
const grantedAnswer: TokenAnswer = { outcome: "granted", grant };
const usedUp: TokenAnswer = { outcome: "refused", errorCode: "invalid_grant", message: "Invalid code", status: 400 };
const unreachable: TokenAnswer = { outcome: "later", errorCode: "ENOTFOUND", message: "Could not reach token.example: ENOTFOUND.", status: null, retryAfterMs: null };

const stateOf = (link: string | null): string => new URL(link ?? "").searchParams.get("state") ?? "";

const createStory = (...answers: (TokenAnswer | Promise<TokenAnswer>)[]) => {
  const clock = createFakeClock();
  const events: EventDraft[] = [];
  const exchanges: ExchangeRequest[] = [];
  const kept: GrantedLogin[] = [];
  const story = { keepFault: null as Error | null };
  const flow = createLoginFlow({
    clock,
    random: systemRandom,
    publish: (event) => void events.push(event),
    settings,
    loopback: () => ({ redirectUri: "http://localhost:4001/callback", shortUrl: "http://localhost:4001/login" }),
    tokenEndpoint: {
      exchange: async (request) => {
        exchanges.push(request);
        return answers[exchanges.length - 1] ?? grantedAnswer;
      },
    },
    keep: async (login) => {
      kept.push(login);
      if (story.keepFault !== null) throw story.keepFault;
      return { accountId: "ada", expiresAt: 1 };
    },
  });
  const codes = (): { paste: string; callback: string } => {
    const attempt = flow.pending();
    return { paste: `code-1#${stateOf(attempt?.authorizeUrl ?? null)}`, callback: `?code=code-2&state=${stateOf(attempt?.browserUrl ?? null)}` };
  };
  const paste = (text: string, attemptId: string | null = null) => flow.submit(secret(text), attemptId);
  return Object.assign(story, { clock, events, exchanges, kept, flow, codes, paste, failures: () => events.flatMap((event) => (event.type === "login.failed" ? event.errorCode : [])) });
};

describe("a sign-in by paste", () => {
  it("goes from link to kept credential, and says each step", async () => {
    const { events, exchanges, flow, kept, codes, paste } = createStory();
    const { attemptId, expiresAt } = flow.start({ accountId: "ada" });
    expect(attemptId).toMatch(/^[\w-]{22}$/);
    expect(await paste(codes().paste, attemptId)).toEqual({ outcome: "signed-in", accountId: "ada", expiresAt: 1 });
    expect(events).toEqual([
      { type: "login.started", attemptId, kind: "max", expiresAt },
      { type: "login.waiting", attemptId, step: "code" },
      { type: "login.waiting", attemptId, step: "exchange" },
      { type: "login.succeeded", attemptId, accountId: "ada" },
    ]);
    expect(exchanges[0]).toMatchObject({ tokenUrl: settings.tokenUrl, clientId: "client-1", redirectUri: settings.redirectUri });
    expect(kept).toMatchObject([{ kind: "max", accountId: "ada", grant }]);
    expect(flow.pending()).toBeNull();
  });

  it("each link has a redirect, a state and a verifier of its own, and the exchange uses those of the link that delivered", async () => {
    const { exchanges, flow, codes } = createStory();
    flow.start({});
    const attempt = flow.pending();
    const [manual, browser] = [new URL(attempt?.authorizeUrl ?? ""), new URL(attempt?.browserUrl ?? "")];
    for (const name of ["redirect_uri", "state", "code_challenge"]) expect(manual.searchParams.get(name)).not.toBe(browser.searchParams.get(name));
    await flow.completeCallback(codes().callback);
    expect(exchanges).toHaveLength(1);
    expect(exchanges[0]?.redirectUri).toBe("http://localhost:4001/callback");
    expect(exchanges[0]?.state.reveal()).toBe(browser.searchParams.get("state"));
  });

  it("takes the callback's address as a paste, when the browser is on another machine", async () => {
    const { exchanges, flow, codes, paste } = createStory();
    flow.start({});
    expect(await paste(`http://localhost:4001/callback${codes().callback}`)).toMatchObject({ outcome: "signed-in" });
    expect(exchanges[0]?.redirectUri).toBe("http://localhost:4001/callback");
  });

  it("never shows the verifier, and nothing secret in an event (A21)", async () => {
    const { events, exchanges, flow, codes, paste } = createStory();
    const attempt = flow.start({});
    const { paste: text } = codes();
    await paste(text);
    const verifier = exchanges[0]?.verifier.reveal() ?? "";
    expect(verifier).toMatch(/^[\w-]{86}$/);
    expect(JSON.stringify([attempt, events])).not.toContain(verifier);
    expect(JSON.stringify(events)).not.toContain(text.split("#")[1]);
  });

  it("a bad paste keeps it open and makes no call", async () => {
    const { exchanges, flow, codes, paste } = createStory();
    flow.start({});
    expect(await paste("")).toEqual({ outcome: "nothing" });
    expect(await paste("code-1")).toMatchObject({ outcome: "bad-paste", code: "incomplete" });
    expect(await paste(flow.pending()?.browserUrl ?? "")).toMatchObject({ outcome: "bad-paste", code: "sign-in-link" });
    expect(exchanges).toEqual([]);
    expect(await paste(codes().paste)).toMatchObject({ outcome: "signed-in" });
  });

  it("a network failure keeps it open, and the same paste works afterwards", async () => {
    const { events, flow, codes, paste, failures } = createStory(unreachable, { outcome: "unknown", errorCode: "timeout", message: "No answer." });
    flow.start({});
    const { paste: text } = codes();
    expect(await paste(text)).toEqual({ outcome: "retry", message: "Could not reach token.example: ENOTFOUND." });
    expect(events.at(-1)).toMatchObject({ type: "login.waiting", step: "code" });
    expect(await paste(text)).toMatchObject({ outcome: "retry" });
    expect(await paste(text)).toMatchObject({ outcome: "signed-in" });
    expect(failures()).toEqual([]);
  });

  it("a code that is used up closes it with a sentence that says what to do", async () => {
    const { flow, codes, paste, failures } = createStory(usedUp);
    flow.start({});
    expect(await paste(codes().paste)).toEqual({ outcome: "failed", errorCode: "invalid_grant", message: "The code is used up or too old." });
    expect(failures()).toEqual(["invalid_grant"]);
    expect(flow.pending()).toBeNull();
  });

  it("a credential that could not be stored is stored at the next try, without a second exchange", async () => {
    const story = createStory();
    story.flow.start({});
    const { paste: text } = story.codes();
    story.keepFault = new AppError({ code: "store-unwritable", message: "No space left." });
    expect(await story.paste(text)).toMatchObject({ outcome: "retry", message: "No space left." });
    story.keepFault = null;
    expect(await story.paste(text)).toMatchObject({ outcome: "signed-in" });
    expect(story.exchanges).toHaveLength(1);
  });
});

describe("one sign-in at a time", () => {
  it("a new one closes the old one, whose codes are then foreign", async () => {
    const { flow, codes, paste, failures } = createStory();
    const old = flow.start({});
    const { paste: oldPaste, callback } = codes();
    flow.start({ kind: "console" });
    expect(flow.pending()).toMatchObject({ kind: "console", shortUrl: "http://localhost:4001/login" });
    expect(failures()).toEqual(["superseded"]);
    expect(await paste(oldPaste)).toMatchObject({ outcome: "bad-paste", code: "foreign-state" });
    expect(await flow.completeCallback(callback)).toMatchObject({ result: "refused" });
    await expect(paste(oldPaste, old.attemptId)).rejects.toMatchObject({ code: "login-expired" });
  });

  it("a paste and a callback at the same moment make one exchange", async () => {
    const { exchanges, flow, codes, paste } = createStory();
    flow.start({});
    const [pasted, called] = await Promise.all([paste(codes().paste), flow.completeCallback(codes().callback)]);
    expect([pasted.outcome, called.result, exchanges.length]).toEqual(["signed-in", "signed-in", 1]);
  });

  it("ends after ten minutes, says so, and leaves no timer (A24)", async () => {
    const { clock, events, flow, codes, paste, failures } = createStory();
    flow.start({});
    const { paste: text } = codes();
    await clock.advance(600_000);
    expect(failures()).toEqual(["login-expired"]);
    expect(events.at(-1)).toMatchObject({ message: "The sign-in was not finished within 10 minutes. Start it again." });
    await expect(paste(text)).rejects.toMatchObject({ code: "login-expired" });
    expect(clock.pendingTimers()).toBe(0);
  });

  it("a code that was accepted in time is not thrown away", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const { clock, flow, codes, paste } = createStory(gate.promise);
    flow.start({});
    const submitted = paste(codes().paste);
    await clock.advance(600_001);
    gate.resolve(grantedAnswer);
    expect(await submitted).toMatchObject({ outcome: "signed-in" });
  });

  it("is still open a second before its ten minutes are over (A24)", async () => {
    const { clock, flow, codes, paste } = createStory();
    flow.start({});
    await clock.advance(599_000);
    expect(flow.pending()).not.toBeNull();
    expect(await paste(codes().paste)).toMatchObject({ outcome: "signed-in" });
  });

  it("can be cancelled, also while the exchange runs: then nothing is stored", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const { flow, kept, codes, paste, failures } = createStory(gate.promise);
    const { attemptId } = flow.start({});
    flow.cancel("another");
    const submitted = paste(codes().paste);
    flow.cancel(attemptId);
    gate.resolve(grantedAnswer);
    expect(await submitted).toMatchObject({ outcome: "failed", errorCode: "cancelled" });
    expect(kept).toEqual([]);
    expect(failures()).toEqual(["cancelled"]);
  });

  it("signs an account in at its own server when it has one", async () => {
    const { exchanges, flow, codes, paste } = createStory();
    const attempt = flow.start({ settings: { clientId: "other", tokenUrl: "https://other.example/token" } });
    expect(attempt.authorizeUrl).toContain("client_id=other&");
    await paste(codes().paste);
    expect(exchanges[0]).toMatchObject({ clientId: "other", tokenUrl: "https://other.example/token" });
  });
});

describe("a sign-in by callback", () => {
  const foreign = ["", "?code=a", "?code=a&state=wrong", "?state=x", "?error=access_denied", "?error=access_denied&state=wrong"];

  it.each(foreign)("%j is refused without a call, and the attempt stays open (A19)", async (query) => {
    const { exchanges, flow } = createStory();
    flow.start({});
    expect(await flow.completeCallback(query)).toMatchObject({ result: "refused" });
    expect(exchanges).toEqual([]);
    expect(flow.pending()).not.toBeNull();
  });

  it("a code or state given twice is refused without a call, and the attempt stays open (A19)", async () => {
    const { exchanges, flow, codes } = createStory();
    flow.start({});
    const { callback } = codes();
    for (const extra of ["&code=b", "&state=x"]) expect(await flow.completeCallback(callback + extra)).toMatchObject({ result: "refused" });
    expect(exchanges).toEqual([]);
    expect(flow.pending()).not.toBeNull();
  });

  it("a second callback after success is refused (A20)", async () => {
    const { exchanges, flow, codes } = createStory();
    flow.start({});
    const { callback } = codes();
    expect(await flow.completeCallback(callback)).toEqual({ result: "signed-in" });
    expect(await flow.completeCallback(callback)).toMatchObject({ result: "refused" });
    expect(exchanges).toHaveLength(1);
  });

  it("a person's no ends it with clean words (A23)", async () => {
    const { flow, codes, failures } = createStory();
    flow.start({});
    const { callback } = codes();
    const denied = callback.replace("code=code-2", "error=access_denied&error_description=%1b%5b2J");
    expect(await flow.completeCallback(denied)).toEqual({ result: "failed", message: "The sign-in was refused on the page." });
    expect(failures()).toEqual(["access_denied"]);
  });

  it.each([
    ["error=server_error", "The sign-in page reported server_error."],
    ["error=server_error&error_description=Try%20later", "The sign-in page reported server_error: Try later."],
  ])("another error of the page (%s) ends it in the page's words", async (error, message) => {
    const { flow, codes } = createStory();
    flow.start({});
    expect(await flow.completeCallback(codes().callback.replace("code=code-2", error))).toEqual({ result: "failed", message });
  });

  it("a no that comes while a code is exchanged changes nothing: the exchange decides", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const { flow, codes, paste, failures } = createStory(gate.promise);
    flow.start({});
    const submitted = paste(codes().paste);
    const denied = flow.completeCallback(codes().callback.replace("code=code-2", "error=access_denied"));
    gate.resolve(grantedAnswer);
    expect([(await submitted).outcome, await denied, failures()]).toEqual(["signed-in", { result: "signed-in" }, []]);
  });

  it("reloading the page tries again after a network failure", async () => {
    const { flow, codes } = createStory(unreachable);
    flow.start({});
    const { callback } = codes();
    expect(await flow.completeCallback(callback)).toEqual({ result: "retry", message: "Could not reach token.example: ENOTFOUND. Reload this page to try again." });
    expect(await flow.completeCallback(callback)).toEqual({ result: "signed-in" });
  });
});
