import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { secret } from "../../../src/lib/secret.ts";
import type { Secret } from "../../../src/lib/secret.ts";
import { AppError } from "../../../src/messages/errors.ts";
import type { Opened, OpenBrowser } from "../../../src/tui/edges/browser.ts";
import { createFakeLogin } from "../../fixtures/fake-login.ts";
import { backspace, enter, escape, openForm, plainKey } from "../../fixtures/login-form.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const idle = { pendingLogin: () => null, answerIdentity: () => Promise.reject(new Error("nothing is asked")) };

const refuse = (error: unknown) => ({
  ...idle,
  async submitCode(): Promise<never> {
    throw error;
  },
  cancelLogin: () => {},
});

const closing = (error: unknown) => ({
  ...refuse(error),
  cancelLogin() {
    throw error;
  },
});

describe("the exchange", () => {
  it("locks the field, counts its seconds, and Esc gives the attempt back", async () => {
    const { form, fake, code, press, clock, sentence, attempt } = await openForm();
    form.paste(code("slow"));
    await clock.advance(2100);
    expect(sentence()).toBe("Exchanging the code ... 2s");
    form.paste("another paste entirely");
    press(backspace);
    await clock.advance(100);
    expect(fake.submitted).toEqual([code("slow")]);
    press(escape);
    expect(await form.ended).toEqual({ outcome: "cancelled" });
    expect(fake.cancelled).toEqual([attempt.attemptId]);
  });

  it("that did not get through is tried again with r, with the same code", async () => {
    const { form, fake, code, type, clock, settle, sentence } = await openForm();
    form.paste(code("net"));
    await settle();
    expect(sentence()).toBe("Could not reach platform.claude.example: ENOTFOUND. r tries the same code again.");
    expect(form.snapshot().keys[0]).toEqual({ key: "r", does: "try again" });
    type("r");
    await clock.advance(60);
    expect(await form.ended).toMatchObject({ outcome: "signed-in" });
    expect(fake.submitted).toEqual([code("net"), code("net")]);
  });

  it("that was refused is over: nothing can be pasted, Enter asks for a new link", async () => {
    const { form, fake, code, press, type, clock, settle, sentence } = await openForm();
    form.paste(code("used"));
    await settle();
    expect(sentence()).toBe("The code is used up or too old. Enter starts again with a new link.");
    form.paste(code());
    type("o");
    await clock.advance(100);
    expect([form.snapshot().field, form.snapshot().left, fake.submitted.length]).toEqual(["", "", 1]);
    press(enter);
    expect(await form.ended).toEqual({ outcome: "again" });
  });

  it("that the core cannot accept is told with its hint; a defect ends the screen", async () => {
    const known = await openForm({ commands: refuse(new AppError({ code: "store-unwritable", message: "The disk is full.", hint: "Make room." })) });
    known.form.paste(known.code());
    await known.settle();
    expect(known.sentence()).toBe("The disk is full. Make room.");
    known.form.close();
    const broken = await openForm({ commands: refuse(new TypeError("defect")) });
    broken.form.paste(broken.code());
    await expect(broken.form.ended).rejects.toThrow("defect");
    broken.form.close();
  });
});

describe("the end of an attempt", () => {
  it("an attempt that the core has closed already needs no cancelling; a defect there is not swallowed", async () => {
    const closed = await openForm({ commands: closing(new AppError({ code: "login-expired", message: "gone" })) });
    closed.press(escape);
    expect(await closed.form.ended).toEqual({ outcome: "cancelled" });
    const broken = await openForm({ commands: closing(new TypeError("defect")) });
    broken.press(escape);
    await expect(broken.form.ended).rejects.toThrow("defect");
  });

  it("an answer that comes after it changes nothing any more", async () => {
    const { form, settle } = await openForm();
    form.paste("incomplete-code");
    form.close();
    const before = form.snapshot();
    await settle();
    expect(form.snapshot()).toBe(before);
  });
});

describe("the browser and the clock", () => {
  it("the browser coming back first ends the screen, whatever stands in the field", async () => {
    const { form, fake, type, clock } = await openForm();
    type("abc");
    await clock.advance(60);
    fake.comeBack("work");
    expect(await form.ended).toEqual({ outcome: "signed-in", accountId: "work" });
    expect(fake.cancelled).toEqual([]);
  });

  it("its exchange is shown, and another attempt's events are not ours", async () => {
    const { form, fake, attempt, sentence } = await openForm();
    fake.bus.publish({ type: "login.succeeded", attemptId: "other", accountId: "x" });
    fake.bus.publish({ type: "login.waiting", attemptId: attempt.attemptId, step: "exchange" });
    expect(sentence()).toBe("The browser came back. Exchanging the code ... 0s");
    fake.bus.publish({ type: "login.waiting", attemptId: attempt.attemptId, step: "code" });
    expect(sentence()).toBe(null);
    fake.bus.publish({ type: "login.failed", attemptId: attempt.attemptId, errorCode: "access_denied", message: "It was refused on the page." });
    expect([sentence(), form.snapshot().keys[0]?.key]).toEqual(["It was refused on the page.", "Enter"]);
    form.close();
  });

  it("while a paste is being sent, only its own answer counts", async () => {
    const { form, fake, attempt, code, sentence } = await openForm();
    form.paste(code("slow"));
    fake.bus.publish({ type: "login.failed", attemptId: attempt.attemptId, errorCode: "invalid_grant", message: "x" });
    expect(sentence()).toBe("Exchanging the code ... 0s");
    form.close();
  });

  it("counts down, and offers a new link at the end", async () => {
    const { form, press, clock, sentence, attempt, fake } = await openForm();
    expect(form.snapshot().left).toBe("10:00 left");
    await clock.advance(19_000);
    expect(form.snapshot().left).toBe("9:41 left");
    await clock.advance(581_000);
    expect(sentence()).toBe("This sign-in has timed out. Enter starts again with a new link.");
    press(enter);
    expect(await form.ended).toEqual({ outcome: "again" });
    expect(fake.cancelled).toEqual([attempt.attemptId]);
  });

  it("an exchange that is under way is not cut off when the time is up, but nothing may follow it", async () => {
    const { form, code, clock, sentence } = await openForm();
    form.paste(code("slow"));
    await clock.advance(600_000);
    expect(sentence()).toBe("Exchanging the code ... 600s");
    form.close();
    const other = await openForm();
    await other.clock.advance(599_500);
    other.form.paste(other.code("net"));
    await other.clock.advance(1000);
    expect(other.sentence()).toContain("timed out");
    other.form.close();
  });

  it("leaves no timer and no listener behind", async () => {
    let listening = 0;
    const subscribe = () => {
      listening += 1;
      return () => (listening -= 1) >= 0;
    };
    const { form, type, clock } = await openForm({ subscribe });
    type("abc");
    expect(listening).toBe(1);
    form.close();
    expect([listening, clock.pendingTimers()]).toEqual([0, 0]);
  });
});

describe("keys", () => {
  it("o, c, u and v act alone on an empty or refused field, and are text in a code that is typed", async () => {
    const { form, type, clock, settle, pressed } = await openForm();
    for (const key of ["o", "c", "u", "x"]) {
      type(key);
      await clock.advance(60);
    }
    expect([pressed, form.snapshot().field]).toEqual([["o", "c", "u"], "*"]);
    type("c");
    await clock.advance(60);
    expect([pressed.length, form.snapshot().field]).toEqual([3, "**"]);
    form.paste("refused-paste");
    await settle();
    type("o");
    await clock.advance(60);
    expect([pressed, form.snapshot().field]).toEqual([["o", "c", "u", "o"], ""]);
    form.close();
  });

  it("an edge that answers late does not overwrite what was said since", async () => {
    const { promise, resolve } = Promise.withResolvers<Opened>();
    const { form, settle, sentence } = await openForm({ edges: { openBrowser: () => promise } });
    form.openPage();
    form.paste("incomplete");
    await settle();
    resolve({ opened: true, tried: true, message: "The page should be open." });
    await settle();
    expect(sentence()).toContain("Not complete");
    form.close();
  });

  it("Enter sends what was typed, Backspace takes a letter back, Esc first clears and then cancels", async () => {
    const { form, fake, type, press, clock, settle } = await openForm();
    type("xyz");
    press(backspace);
    press(enter);
    await settle();
    type("z\r");
    await clock.advance(60);
    expect(fake.submitted).toEqual(["xy", "xyz"]);
    press(escape);
    expect(form.snapshot().field).toBe("");
    press(escape);
    expect(await form.ended).toEqual({ outcome: "cancelled" });
  });

  it("Esc takes back a letter behind a refused paste, and clears that with it", async () => {
    const { form, type, press, settle } = await openForm();
    form.paste("refused-paste");
    await settle();
    type("x");
    press(escape);
    expect([form.snapshot().field, form.snapshot().keys.at(-2)]).toEqual(["", { key: "Esc", does: "cancel" }]);
    form.close();
  });

  it("a paste goes on where a code was being typed", async () => {
    const { form, fake, type, clock } = await openForm();
    type("slo");
    await clock.advance(60);
    form.paste("w-the-rest");
    expect(fake.submitted).toEqual(["slow-the-rest"]);
    form.close();
  });

  it("the page that opens by itself is the one that comes back, and a browser that is not tried goes without a word", async () => {
    const opened: string[] = [];
    const openBrowser: OpenBrowser = async (url) => (opened.push(String(url)), { opened: false, tried: false, message: "no display" });
    const { form, attempt, settle, sentence, type, clock } = await openForm({ edges: { openBrowser } });
    form.openPage();
    await settle();
    expect(sentence()).toBe(null);
    type("o");
    await clock.advance(60);
    expect(sentence()).toBe("no display");
    expect(opened).toEqual([attempt.shortUrl, attempt.shortUrl]);
    form.close();
  });

  it("without a short link the page goes by a file of our own: no other process has the link among its arguments (A26)", async () => {
    const fake = createFakeLogin(createFakeClock());
    const attempt = { ...(await fake.commands.startLogin({})), shortUrl: null };
    const [opened, written]: [string[], string[]] = [[], []];
    const openBrowser: OpenBrowser = async (url) => (opened.push(typeof url === "string" ? url : await url()), { opened: true, tried: true, message: "" });
    const linkFile = { write: async () => ({ ok: true, message: "" }), writePage: async (link: string) => (written.push(link), "file:///page"), remove: async () => {} };
    const { form, settle } = await openForm({ attempt, edges: { openBrowser, linkFile } });
    form.openPage();
    await settle();
    expect([opened, written]).toEqual([["file:///page"], [attempt.authorizeUrl]]);
    form.close();
  });

  it("a copy that was only sent says what to do when it has not arrived", async () => {
    const sent = await openForm({ edges: { copy: async () => ({ ok: true, sure: false, message: "Sent" }) } });
    sent.type("c");
    await sent.clock.advance(60);
    expect(sent.sentence()).toBe("Sent (press u if paste is empty).");
    sent.form.close();
  });

  it("a clipboard that answers while a code is being sent is not sent as well", async () => {
    const { promise, resolve } = Promise.withResolvers<{ ok: true; text: Secret; message: string }>();
    const { form, fake, code, type, clock, settle } = await openForm({ edges: { readClipboard: () => promise } });
    type("v");
    await clock.advance(60);
    form.paste(code("slow"));
    resolve({ ok: true, text: secret("from the clipboard"), message: "Clipboard" });
    await settle();
    expect(fake.submitted).toEqual([code("slow")]);
    form.close();
  });

  it("Esc takes back a key that was pressed a moment ago, and does nothing else", async () => {
    const { form, fake, type, press, clock, pressed } = await openForm();
    type("o");
    press(escape);
    await clock.advance(100);
    expect(fake.cancelled).toEqual([]);
    expect([pressed, form.snapshot().field, form.snapshot().keys.at(-2)]).toEqual([[], "", { key: "Esc", does: "cancel" }]);
    press(escape);
    expect(await form.ended).toEqual({ outcome: "cancelled" });
  });

  it("Ctrl+C quits from everywhere and gives the attempt back; Alt and other Ctrl keys do nothing", async () => {
    const { form, fake, code, attempt } = await openForm();
    form.input("o", { ...plainKey, meta: true });
    form.input("z", { ...plainKey, ctrl: true });
    form.paste(code("slow"));
    form.input("c", { ...plainKey, ctrl: true });
    form.quit();
    expect(await form.ended).toEqual({ outcome: "quit" });
    expect([fake.cancelled, fake.submitted]).toEqual([[attempt.attemptId], [code("slow")]]);
  });
});

describe("nothing of the code", () => {
  it("is in the picture, in the form, in a sentence or in its end", async () => {
    const { form, code, settle } = await openForm();
    const pictures: string[] = [];
    form.subscribe(() => pictures.push(JSON.stringify(form.snapshot())));
    for (const paste of [code().slice(0, 60), code("net"), code("used")]) {
      form.paste(paste);
      await settle();
      form.input("", escape);
    }
    const seen = pictures.join("\n") + inspect(form, { depth: 9 });
    expect(pictures.length).toBeGreaterThan(5);
    for (const part of [code(), "CCCCC", "aB3xC"]) expect(seen).not.toContain(part);
    form.close();
  });
});
