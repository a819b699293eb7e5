import { describe, expect, it } from "vitest";
import { secret } from "../../../src/lib/secret.ts";
import type { Secret } from "../../../src/lib/secret.ts";
import type { SubmitOutcome } from "../../../src/messages/commands.ts";
import { runPlainLogin } from "../../../src/tui/login/plain.ts";
import type { PlainLoginDeps } from "../../../src/tui/login/plain.ts";
import { authorizeUrl, createFakeLogin } from "../../fixtures/fake-login.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const forever = (_question: string, signal: AbortSignal): Promise<Secret | null> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(null)));

const setUp = (lines: readonly (string | null)[], more: Partial<PlainLoginDeps> = {}) => {
  const clock = createFakeClock();
  const fake = createFakeLogin(clock);
  const rest = [...lines];
  let said = "";
  const askLine = async (): Promise<Secret | null> => {
    const line = rest.shift() ?? null;
    return line === null ? null : secret(line.replace("STATE", fake.state()));
  };
  const ended = runPlainLogin({
    commands: fake.commands, subscribe: fake.bus.subscribe, clock, login: {}, askLine, interactive: false, openBrowser: null,
    write: (text) => void (said += text),
    ...more,
  });
  return { clock, fake, ended, said: () => said };
};

describe("signing in without a screen", () => {
  it("prints the link alone in its line, takes one line, and is done", async () => {
    const { ended, said, fake } = setUp(["aB3xQQQQQQ#STATE"]);
    expect(await ended).toEqual({ outcome: "signed-in", accountId: "max" });
    expect(said().split("\n")).toContain(authorizeUrl(fake.state()));
    expect([said().includes("QQQQ"), fake.cancelled]).toEqual([false, []]);
  });

  it("a bad line is one sentence and the end for a pipe", async () => {
    const { ended, fake } = setUp(["no-hash-in-it", "never read"]);
    expect(await ended).toEqual({ outcome: "failed", errorCode: "bad-paste", message: "Not complete: the part after # is missing. Use the Copy button on the page.", closed: false });
    expect([fake.submitted.length, fake.cancelled]).toEqual([1, ["attempt-1"]]);
  });

  it("a person may paste again, and hears what was wrong", async () => {
    const { ended, said } = setUp(["no-hash-in-it", "aB3xQQ#foreign-state", "aB3xQQ#STATE"], { interactive: true });
    expect(await ended).toMatchObject({ outcome: "signed-in" });
    expect(said()).toContain("Not complete: the part after #");
    expect(said()).toContain("This code belongs to another sign-in attempt.");
  });

  it("a refused code is the end for everybody", async () => {
    const { ended } = setUp(["usedQQ#STATE", "aB3xQQ#STATE"], { interactive: true });
    expect(await ended).toMatchObject({ outcome: "failed", errorCode: "invalid_grant", closed: true });
  });

  it("an exchange that did not get through is tried again with the same code", async () => {
    const { ended, clock, fake } = setUp(["netQQ#STATE"]);
    await clock.advance(1000);
    expect(await ended).toMatchObject({ outcome: "signed-in" });
    expect(fake.submitted).toHaveLength(2);
  });

  it("an exchange that never gets through is given up after three tries, a second and two seconds apart", async () => {
    const tries: number[] = [];
    const clock = createFakeClock();
    const { commands } = createFakeLogin(clock);
    const submitCode = async (): Promise<SubmitOutcome> => {
      tries.push(clock.monotonic());
      return { outcome: "retry", message: "ENOTFOUND" };
    };
    const { ended } = setUp(["aB3xQQ#STATE"], { clock, commands: { ...commands, submitCode } });
    await clock.advance(5000);
    expect(await ended).toMatchObject({ outcome: "failed", errorCode: "login-failed", message: "ENOTFOUND" });
    expect(tries).toEqual([0, 1000, 3000]);
  });

  it("no line is giving up, and the attempt is given back", async () => {
    const { ended, fake } = setUp([]);
    expect(await ended).toEqual({ outcome: "cancelled" });
    expect(fake.cancelled).toEqual(["attempt-1"]);
  });

  it("without input an opened browser may still finish it; one that could not be opened cannot", async () => {
    const opened = setUp([], { openBrowser: async () => ({ opened: true, tried: true, message: "" }) });
    await opened.clock.advance(0);
    opened.fake.comeBack("work");
    expect(await opened.ended).toEqual({ outcome: "signed-in", accountId: "work" });
    const closed = setUp([], { openBrowser: async () => ({ opened: false, tried: true, message: "" }) });
    expect(await closed.ended).toEqual({ outcome: "cancelled" });
  });

  it("the browser may be first while somebody still has to type, and a failure there is told", async () => {
    const first = setUp([], { askLine: forever });
    await first.clock.advance(0);
    first.fake.comeBack();
    expect(await first.ended).toMatchObject({ outcome: "signed-in" });
    const failed = setUp([], { askLine: forever });
    await failed.clock.advance(0);
    failed.fake.bus.publish({ type: "login.failed", attemptId: "attempt-1", errorCode: "login-expired", message: "Too late." });
    expect(await failed.ended).toEqual({ outcome: "failed", errorCode: "login-expired", message: "Too late.", closed: true });
  });

  it("a stop from outside ends the waiting", async () => {
    const stop = new AbortController();
    const { ended, clock, fake } = setUp([], { askLine: forever, signal: stop.signal });
    await clock.advance(0);
    stop.abort();
    expect(await ended).toEqual({ outcome: "cancelled" });
    expect(fake.cancelled).toEqual(["attempt-1"]);
  });
});

describe("a person who has no account here, without a screen", () => {
  it("is refused through a pipe, with who it is and the ways to go on; nothing is stored (A27)", async () => {
    const { ended, fake, said } = setUp(["newQQQQQQ#STATE"]);
    expect(await ended).toEqual({ outcome: "failed", errorCode: "conflict", message: "Nothing was stored. Sign in on a terminal to be asked, or give --yes.", closed: false });
    expect(said()).toContain("This code signs in dana@example.com, who has no account in this proxy yet.\n");
    expect([fake.answered, fake.cancelled]).toEqual([[], ["attempt-1"]]);
  });

  it.each([["y", true], ["YES", true], ["n", false], ["", false], ["yn", false]])("is asked about where somebody types: %j is %s (A27)", async (line, yes) => {
    const { ended, fake, said } = setUp(["newQQQQQQ#STATE", line], { interactive: true });
    expect(await ended).toEqual(yes ? { outcome: "signed-in", accountId: "max-2" } : { outcome: "failed", errorCode: "declined", message: "dana@example.com was not added.", closed: true });
    expect([fake.answered, said().includes("Add dana@example.com to this proxy?\n")]).toEqual([[yes], true]);
  });

  it("is asked about when the browser came back first, in the place of the code", async () => {
    const asked: string[] = [];
    const askLine = (question: string, signal: AbortSignal): Promise<Secret | null> => (asked.push(question), question.startsWith("y/n") ? Promise.resolve(secret("y")) : forever(question, signal));
    const { ended, fake } = setUp([], { interactive: true, askLine });
    await Promise.resolve();
    fake.comeBackWithDana();
    expect(await ended).toEqual({ outcome: "signed-in", accountId: "max-2" });
    expect([asked, fake.answered]).toEqual([["Paste code > ", "y/n > "], [true]]);
  });

  it("is refused through a pipe when the browser brings them, although no line has come", async () => {
    const { ended, fake } = setUp([], { askLine: forever });
    await Promise.resolve();
    fake.comeBackWithDana();
    expect(await ended).toMatchObject({ outcome: "failed", errorCode: "conflict" });
  });

  it("and a lost short link are told while the line is waited for", async () => {
    const { ended, fake, said } = setUp([], { askLine: forever });
    await Promise.resolve();
    fake.bus.publish({ type: "notice", level: "warning", code: "sign-in-link", message: "Ten wrong tries.", hint: null });
    fake.comeBack();
    await ended;
    expect(said()).toContain("Ten wrong tries.\n");
  });
});
