// A grant that is kept only after a person has agreed: what is asked, what a yes and a no do, and what becomes of it else.
import { describe, expect, it } from "vitest";
import type { AskedIdentity } from "../../src/messages/identity.ts";
import { AppError } from "../../src/messages/errors.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createStory, grant, grantedAnswer } from "./login-story.ts";

const dana: AskedIdentity = { kind: "oauth", accountId: "claude-2", email: "dana@example.com", organization: "Dana's", replaces: null };

const asking = async () => {
  const story = createStory();
  story.asked = dana;
  story.flow.start({});
  const outcome = await story.paste(story.codes().paste);
  if (outcome.outcome !== "confirm") throw new Error(outcome.outcome);
  const { confirm } = outcome.question;
  return { ...story, story, outcome, confirm, answer: (accept: boolean) => story.flow.answerIdentity({ attemptId: null, confirm, accept }) };
};

describe("a sign-in of a person who was not here", () => {
  it("waits for an answer; the e-mail is shown to who asks for the open sign-in, and is in no event (A27)", async () => {
    const { flow, outcome, kept, events } = await asking();
    expect(outcome.question).toEqual({ ...dana, confirm: expect.stringMatching(/^[\w-]{22}$/) as string });
    expect([flow.pending()?.question, kept]).toEqual([outcome.question, []]);
    expect(events.at(-1)).toMatchObject({ type: "login.waiting", step: "confirm" });
    expect(JSON.stringify(events)).not.toContain("dana");
  });

  it("is kept after a yes, with the same grant, and the question is over", async () => {
    const { answer, kept, exchanges, givenBack, flow } = await asking();
    expect(await answer(true)).toEqual({ outcome: "signed-in", accountId: "ada", expiresAt: 1 });
    expect([kept[0]?.grant, exchanges.length, givenBack, flow.pending()]).toEqual([grant, 1, [], null]);
    await expect(answer(true)).rejects.toMatchObject({ code: "login-expired" });
  });

  it("is given back to the server after a no, which says so with the name, and without it in the event (A27)", async () => {
    const { answer, kept, givenBack, events } = await asking();
    expect(await answer(false)).toEqual({ outcome: "failed", errorCode: "declined", message: "dana@example.com was not added, and the new tokens were given back to the server." });
    expect([kept, givenBack.map((login) => login.grant)]).toEqual([[], [grant]]);
    expect(events.at(-1)).toMatchObject({ type: "login.failed", errorCode: "declined", message: "The answer was no: the sign-in was not kept." });
  });

  it("that the server does not take back is forgotten, and the answer says that", async () => {
    const { answer, story } = await asking();
    story.revokes = false;
    expect(await answer(false)).toMatchObject({ message: expect.stringContaining("forgotten here, but the server did not take them back: No answer.") as string });
  });

  it("is given back when it is cancelled, replaced or not answered in ten minutes (A27)", async () => {
    const [cancelled, replaced, late] = [await asking(), await asking(), await asking()];
    cancelled.flow.cancel(cancelled.flow.pending()?.attemptId ?? "");
    replaced.flow.start({});
    await late.clock.advance(600_000);
    expect([cancelled, replaced, late].map(({ givenBack }) => givenBack.length)).toEqual([1, 1, 1]);
    expect(late.failures()).toEqual(["login-expired"]);
  });

  it("asks the same again when the code comes again, by paste or by the browser, and exchanges nothing twice", async () => {
    const { paste, codes, outcome, exchanges, comeBack } = await asking();
    expect(await paste(codes().paste)).toEqual(outcome);
    expect(exchanges).toHaveLength(1);
    // Another code than the one that was granted.
    expect(await comeBack(codes().callback)).toMatchObject({ result: "lost" });
    const byBrowser = createStory();
    byBrowser.asked = dana;
    byBrowser.flow.start({});
    for (let count = 0; count < 2; count += 1) {
      expect(await byBrowser.comeBack(byBrowser.codes().callback)).toMatchObject({ result: "confirm", message: expect.not.stringContaining("dana") as string });
    }
    expect(byBrowser.flow.pending()?.question).toMatchObject(dana);
  });

  it("takes no answer that belongs to another question, and no second one while the first is carried out", async () => {
    const { flow, confirm, answer, story, kept } = await asking();
    for (const wrong of ["", `${confirm}x`]) await expect(flow.answerIdentity({ attemptId: null, confirm: wrong, accept: true })).rejects.toMatchObject({ code: "conflict" });
    expect(kept).toEqual([]);
    story.keepFault = new AppError({ code: "store-unwritable", message: "No space left." });
    const both = await Promise.allSettled([answer(true), answer(true)]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await answer(true)).toEqual({ outcome: "retry", message: "No space left." });
    story.keepFault = null;
    expect(await answer(true)).toMatchObject({ outcome: "signed-in" });
  });

  it("asks anew when it would become something else by the time of the yes", async () => {
    const { story, answer } = await asking();
    story.asked = { ...dana, email: "eve@example.com" };
    expect(await answer(true)).toMatchObject({ outcome: "confirm", question: { email: "eve@example.com" } });
  });

  it("is not asked about when that was answered at the start", async () => {
    const story = createStory();
    story.asked = dana;
    story.flow.start({ acceptIdentity: true });
    expect(await story.paste(story.codes().paste)).toMatchObject({ outcome: "signed-in" });
  });
});

describe("a grant that leads nowhere", () => {
  it("because it could not be stored is given back when the sign-in ends", async () => {
    const story = createStory();
    story.keepFault = new AppError({ code: "store-unwritable", message: "No space left." });
    const { attemptId } = story.flow.start({});
    await story.paste(story.codes().paste);
    expect(story.givenBack).toEqual([]);
    story.flow.cancel(attemptId);
    expect(story.givenBack).toHaveLength(1);
  });

  it("because the sign-in was cancelled during its exchange is given back, and one that is stored at that moment is not", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const story = createStory(gate.promise);
    const { attemptId } = story.flow.start({});
    const submitted = story.paste(story.codes().paste);
    story.flow.cancel(attemptId);
    gate.resolve(grantedAnswer);
    expect([(await submitted).outcome, story.givenBack.length, story.kept]).toEqual(["failed", 1, []]);
    const stored = createStory();
    const second = stored.flow.start({});
    const storing = stored.paste(stored.codes().paste);
    while (stored.kept.length === 0) await Promise.resolve();
    stored.flow.cancel(second.attemptId);
    expect([(await storing).outcome, stored.givenBack]).toEqual(["signed-in", []]);
  });
});
