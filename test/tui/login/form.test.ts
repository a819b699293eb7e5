import { describe, expect, it } from "vitest";
import { secret } from "../../../src/lib/secret.ts";
import { enter, escape, openForm } from "../../fixtures/login-form.ts";

describe("a complete paste is sent at once", () => {
  it("in brackets, with line breaks that a terminal put into it", async () => {
    const { form, fake, code } = await openForm();
    form.paste(`${code().slice(0, 40)}  \r\n  ${code().slice(40)}\r`);
    expect(await form.ended).toEqual({ outcome: "signed-in", accountId: "max" });
    expect([fake.submitted, fake.cancelled]).toEqual([[code()], []]);
  });

  it("without brackets in one piece with a carriage return at its end", async () => {
    const { form, fake, code, type, clock } = await openForm();
    type(`${code()}\r`);
    await clock.advance(60);
    expect(await form.ended).toMatchObject({ outcome: "signed-in" });
    expect(fake.submitted).toEqual([code()]);
  });

  it("in pieces that come within 60 ms of each other, byte by byte too, even when it begins with a key's letter", async () => {
    const { form, fake, code, type, clock, pressed } = await openForm();
    for (const letter of code("ocuv")) {
      type(letter);
      await clock.advance(59);
    }
    expect(fake.submitted).toEqual([]);
    await clock.advance(1);
    expect(await form.ended).toMatchObject({ outcome: "signed-in" });
    expect([fake.submitted, pressed]).toEqual([[code("ocuv")], []]);
  });

  it("with Enter behind it, only once", async () => {
    const { form, fake, code, type, press } = await openForm();
    type(code("slow"));
    press(enter);
    press(enter);
    expect(fake.submitted).toEqual([code("slow")]);
    form.close();
  });

  it("from the clipboard, on the key for it", async () => {
    const set = await openForm();
    const { code, fake } = set;
    const readClipboard = async () => ({ ok: true, text: secret(code("slow")), message: "Clipboard: 124 characters." }) as const;
    const { form, type, clock, sentence } = await openForm({ edges: { readClipboard } });
    type("v");
    await clock.advance(60);
    expect(sentence()).toBe("Clipboard: 124 characters. Exchanging the code ... 0s");
    expect(fake.state()).toBe(set.fake.state());
    form.close();
  });
});

describe("a bad paste stays in the field behind its mask, with its own sentence", () => {
  const state = `9f3c${"s".repeat(38)}1`;
  const long = "L".repeat(4000);
  it.each([
    ["the sign-in link", "https://claude.example/oauth/authorize?code=true&state=x", "That is the sign-in link. Open it, then paste the code the page shows.", "http...(56)# differs"],
    ["no #", "abcdefghij".repeat(5), "Not complete: the part after # is missing. Use the Copy button on the page.", "abcd...(50 characters)"],
    ["an inner blank", `abcdefgh ijkl#${state}`, "The code was cut when copying. Copy it again.", "abcd...(57)#9f3c ok"],
    ["an ellipsis", `abcdefgh…#${state}`, "The code was cut when copying. Copy it again.", "abcd...(53)#9f3c ok"],
    ["a foreign state", "abcdefghijkl#zzzzzzzz", "This code belongs to another sign-in attempt. Press o for a new page.", "abcd...(21)# differs"],
    ["5,000 characters", "L".repeat(5000), "Too long (5 000 characters); expected about 100-200.", "LLLL...(5000 characters)"],
    ["70 kB", "L".repeat(70_000), "Too long (70 000 characters); expected about 100-200.", "LLLL...(70000 characters)"],
    ["4,000 characters", long, "Not complete: the part after # is missing. Use the Copy button on the page.", "LLLL...(4000 characters)"],
  ])("%s", async (_, paste, sentenceWanted, mask) => {
    const { form, sentence, settle, fake } = await openForm();
    form.paste(paste);
    await settle();
    expect([sentence(), form.snapshot().field]).toEqual([sentenceWanted, mask]);
    expect([form.snapshot().line?.tone, fake.cancelled]).toEqual(["error", []]);
    form.close();
  });

  it("a key is dropped at once", async () => {
    const { form, sentence, settle } = await openForm();
    form.paste(`sk-ant-api03-${"k".repeat(90)}`);
    await settle();
    expect([sentence(), form.snapshot().field]).toEqual(["That is a key, not a login code. Nothing was stored.", ""]);
    form.close();
  });

  it("blanks say nothing", async () => {
    const { form, sentence, settle } = await openForm();
    form.paste("   \r\n  ");
    await settle();
    expect([sentence(), form.snapshot().field]).toEqual([null, ""]);
    form.close();
  });

  it("70 kB in pieces without brackets are one paste and one sentence", async () => {
    const { form, fake, type, clock, sentence } = await openForm();
    for (let piece = 0; piece < 17; piece += 1) {
      type("L".repeat(4095));
      await clock.advance(30);
    }
    await clock.advance(60);
    expect([sentence(), fake.submitted.length]).toEqual(["Too long (69 615 characters); expected about 100-200.", 1]);
    form.close();
  });

  it("the next paste replaces it, typing goes on where it was, Esc clears it", async () => {
    const { form, fake, code, type, press, clock, settle } = await openForm();
    form.paste("incomplete-code");
    await settle();
    type("#x");
    await clock.advance(60);
    expect(form.snapshot()).toMatchObject({ field: "inco...(17)# differs", line: null });
    press(escape);
    expect(form.snapshot()).toMatchObject({ field: "", line: null });
    form.paste("incomplete-code");
    await settle();
    form.paste(code());
    expect(await form.ended).toMatchObject({ outcome: "signed-in" });
    expect(fake.submitted).toEqual(["incomplete-code", "incomplete-code", code()]);
  });
});
