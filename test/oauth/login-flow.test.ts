import { describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createStory, grant, grantedAnswer, unreachable, usedUp } from "./login-story.ts";
import { settings } from "./settings.ts";

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
    const { exchanges, flow, codes, visit, comeBack } = createStory();
    flow.start({});
    const [manual, browser] = [new URL(flow.pending()?.authorizeUrl ?? ""), new URL(visit())];
    for (const name of ["redirect_uri", "state", "code_challenge"]) expect(manual.searchParams.get(name)).not.toBe(browser.searchParams.get(name));
    await comeBack(codes().callback);
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
    expect(await paste(flow.pending()?.authorizeUrl ?? "")).toMatchObject({ outcome: "bad-paste", code: "sign-in-link" });
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
    const { flow, codes, paste, failures, comeBack } = createStory();
    const old = flow.start({});
    const { paste: oldPaste, callback } = codes();
    flow.start({ kind: "console" });
    expect(flow.pending()).toMatchObject({ kind: "console", shortUrl: expect.stringMatching(/^http:\/\/localhost:4001\/login\/[\w-]{11}$/) as string });
    expect(failures()).toEqual(["superseded"]);
    expect(await paste(oldPaste)).toMatchObject({ outcome: "bad-paste", code: "foreign-state" });
    expect(await comeBack(callback)).toMatchObject({ result: "refused" });
    await expect(paste(oldPaste, old.attemptId)).rejects.toMatchObject({ code: "login-expired" });
  });

  it("a paste and a callback at the same moment make one exchange, and the browser whose code was not used is told so", async () => {
    const { exchanges, flow, codes, paste, comeBack } = createStory();
    flow.start({});
    const [pasted, called] = await Promise.all([paste(codes().paste), comeBack(codes().callback)]);
    expect([pasted.outcome, called.result, exchanges.length]).toEqual(["signed-in", "lost", 1]);
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
    const { exchanges, flow, comeBack } = createStory();
    flow.start({});
    expect(await comeBack(query)).toMatchObject({ result: "refused" });
    expect(exchanges).toEqual([]);
    expect(flow.pending()).not.toBeNull();
  });

  it("a code or state given twice is refused without a call, and the attempt stays open (A19)", async () => {
    const { exchanges, flow, codes, comeBack } = createStory();
    flow.start({});
    const { callback } = codes();
    for (const extra of ["&code=b", "&state=x"]) expect(await comeBack(callback + extra)).toMatchObject({ result: "refused" });
    expect(exchanges).toEqual([]);
    expect(flow.pending()).not.toBeNull();
  });

  it("a second callback after success is refused (A20)", async () => {
    const { exchanges, flow, codes, comeBack } = createStory();
    flow.start({});
    const { callback } = codes();
    expect(await comeBack(callback)).toEqual({ result: "signed-in" });
    expect(await comeBack(callback)).toMatchObject({ result: "refused" });
    expect(exchanges).toHaveLength(1);
  });

  it("a person's no ends it with clean words (A23)", async () => {
    const { flow, codes, failures, comeBack } = createStory();
    flow.start({});
    const { callback } = codes();
    const denied = callback.replace("code=code-2", "error=access_denied&error_description=%1b%5b2J");
    expect(await comeBack(denied)).toEqual({ result: "failed", message: "The sign-in was refused on the page." });
    expect(failures()).toEqual(["access_denied"]);
  });

  it.each([
    ["error=server_error", "The sign-in page reported server_error."],
    ["error=server_error&error_description=Try%20later", "The sign-in page reported server_error: Try later."],
  ])("another error of the page (%s) ends it in the page's words", async (error, message) => {
    const { flow, codes, comeBack } = createStory();
    flow.start({});
    expect(await comeBack(codes().callback.replace("code=code-2", error))).toEqual({ result: "failed", message });
  });

  it("a no that comes while a code is exchanged changes nothing: the exchange decides", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const { flow, codes, paste, failures, comeBack } = createStory(gate.promise);
    flow.start({});
    const submitted = paste(codes().paste);
    const denied = comeBack(codes().callback.replace("code=code-2", "error=access_denied"));
    gate.resolve(grantedAnswer);
    expect([(await submitted).outcome, await denied, failures()]).toEqual(["signed-in", { result: "lost", message: expect.stringContaining("was not stopped") as string }, []]);
  });

  it("reloading the page tries again after a network failure", async () => {
    const { flow, codes, comeBack } = createStory(unreachable);
    flow.start({});
    const { callback } = codes();
    expect(await comeBack(callback)).toEqual({ result: "retry", message: "Could not reach token.example: ENOTFOUND. Reload this page to try again." });
    expect(await comeBack(callback)).toEqual({ result: "signed-in" });
  });
});
