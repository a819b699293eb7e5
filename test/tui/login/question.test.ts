// What the form asks before a person is added, and what it says of a short link that is lost.
import { describe, expect, it } from "vitest";
import { createFakeLogin, dana } from "../../fixtures/fake-login.ts";
import { escape, openForm } from "../../fixtures/login-form.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const diskFull = async () => ({ outcome: "retry", message: "No space left." }) as const;

describe("a person who has no account here", () => {
  it("is asked about after a paste and after the browser came back; nothing is added before the answer (A27)", async () => {
    const { form, fake, code, settle, clock } = await openForm();
    form.paste(code("new"));
    await settle();
    expect(form.snapshot()).toMatchObject({ question: { text: "Add dana@example.com to this proxy?", ready: false }, field: "" });
    expect(form.snapshot().keys.map(({ key }) => key)).toEqual(["y", "n", "Esc", "Ctrl+C"]);
    form.answer(true);
    await clock.advance(600);
    expect([fake.answered, form.snapshot().question?.ready]).toEqual([[], true]);
    form.answer(true);
    expect(await form.ended).toEqual({ outcome: "signed-in", accountId: dana.accountId });
    const byBrowser = await openForm();
    byBrowser.type("half");
    byBrowser.fake.comeBackWithDana();
    expect(byBrowser.form.snapshot().question?.text).toBe("Add dana@example.com to this proxy?");
    byBrowser.form.close();
  });

  it("is not answered by keys that come one after the other, as bytes of a paste do", async () => {
    const { form, fake, type, clock } = await openForm();
    fake.comeBackWithDana();
    for (const letter of "ynynyn") {
      type(letter);
      form.answer(letter === "y");
      await clock.advance(500);
    }
    expect([fake.answered, form.snapshot().question?.ready]).toEqual([[], false]);
    await clock.advance(100);
    expect(form.snapshot().question?.ready).toBe(true);
    form.paste("y");
    type("y");
    await clock.advance(60);
    expect([fake.answered, form.snapshot().field]).toEqual([[], ""]);
    form.close();
  });

  it("is not added after n, and the sentence says so; Esc gives the whole sign-in back", async () => {
    const { form, fake, settle, clock, sentence } = await openForm();
    fake.comeBackWithDana();
    await clock.advance(600);
    form.answer(false);
    await settle();
    expect([fake.answered, sentence(), form.snapshot().question]).toEqual([[false], "dana@example.com was not added. Enter starts again with a new link.", null]);
    form.close();
    const other = await openForm();
    other.fake.comeBackWithDana();
    other.press(escape);
    expect(await other.form.ended).toEqual({ outcome: "cancelled" });
    expect(other.fake.cancelled).toEqual([other.attempt.attemptId]);
  });

  it("is asked about again when the sign-in could not be stored after the yes", async () => {
    const clock = createFakeClock();
    const fake = createFakeLogin(clock);
    const { attemptId } = await fake.commands.startLogin({});
    const pendingLogin = () => ({ ...fake.attempts[0], attemptId, question: dana }) as never;
    const { form, settle, sentence, ...rest } = await openForm({ commands: { ...fake.commands, answerIdentity: diskFull, pendingLogin } });
    rest.fake.comeBackWithDana();
    await rest.clock.advance(600);
    form.answer(true);
    await settle();
    expect([sentence(), form.snapshot().question?.text]).toEqual(["No space left. y tries it again.", "Add dana@example.com to this proxy?"]);
    form.close();
  });
});

describe("a short link that is lost", () => {
  it("is a sentence, and n makes a new one; before that n is a letter (A26)", async () => {
    const { form, fake, type, clock, sentence } = await openForm();
    type("n");
    await clock.advance(60);
    expect(form.snapshot().field).toBe("*");
    form.input("", escape);
    fake.bus.publish({ type: "notice", level: "warning", code: "sign-in-link", message: "Ten wrong tries.", hint: null });
    expect([sentence(), form.snapshot().keys.map(({ key }) => key)]).toEqual(["Ten wrong tries. n makes a new link.", ["o", "c", "u", "v", "n", "Esc", "Ctrl+C"]]);
    form.paste("incomplete-code");
    await clock.advance(0);
    expect(sentence()).toContain("Not complete");
    type("n");
    await clock.advance(60);
    expect(await form.ended).toEqual({ outcome: "again" });
    expect(fake.cancelled).toEqual(["attempt-1"]);
  });
});
