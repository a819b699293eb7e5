import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createPassphraseAsker } from "../../src/cli/ask-passphrase.ts";
import type { Input, Output } from "../../src/cli/context.ts";
import { fakeContext } from "./fake-context.ts";

describe("the passphrase of a sealed store", () => {
  it("is asked for once, on standard error, and not shown", async () => {
    const [input, stderr] = [new PassThrough(), new PassThrough()];
    const ask = createPassphraseAsker({ stdin: Object.assign(input, { isTTY: true, setRawMode: () => {} }) as unknown as Input, stderr: stderr as unknown as Output });
    const both = Promise.all([ask(), ask()]);
    input.write("open sesame\r");
    expect((await both).map((answer) => answer?.reveal())).toEqual(["open sesame", "open sesame"]);
    expect((await ask())?.reveal()).toBe("open sesame");
    expect(String(stderr.read())).toBe("Passphrase of the account store: \n");
  });

  it("is not asked for where nobody can answer", async () => {
    expect(await createPassphraseAsker(fakeContext())()).toBe(null);
  });

  it("the local key alone needs none: the accounts are not even read", async () => {
    const modes: string[] = [];
    const base = fakeContext();
    const context = fakeContext({ parts: { openStore: (wish) => (modes.push(wish.config.mode), base.parts.openStore(wish)) } });
    await context.run("print-key");
    await context.run("env");
    expect(modes).toEqual(["pass-through", "pass-through"]);
  });
});
