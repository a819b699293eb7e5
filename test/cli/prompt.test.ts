// One line from standard input, never shown.
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { askLine, createPassphrasePrompt } from "../../src/cli/prompt.ts";
import type { Input, Output } from "../../src/cli/context.ts";
import { fakeContext } from "./fake-context.ts";

const ask = (chunks: readonly (string | Buffer)[], terminal = false, end = true) => {
  const stream = new PassThrough();
  const raw: boolean[] = [];
  let asked = "";
  const stdin = Object.assign(stream, { isTTY: terminal, setRawMode: (on: boolean) => void raw.push(on) }) as unknown as Input;
  const answer = askLine({ stdin, write: (text) => void (asked += text), question: "Key: " });
  for (const chunk of chunks) stream.write(chunk);
  if (end) stream.end();
  return answer.then((line) => ({ line: line?.reveal() ?? null, asked, raw }));
};

describe("from a pipe", () => {
  it("the first line counts, whatever its ending and its pieces", async () => {
    expect(await ask(["  co", "de#state \r\nsecond\n"])).toEqual({ line: "code#state", asked: "", raw: [] });
    expect(await ask(["no line feed"])).toMatchObject({ line: "no line feed" });
    expect(await ask([Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)])).toMatchObject({ line: "é" });
  });

  it("nothing, or only blanks, is no answer", async () => {
    expect(await ask([])).toMatchObject({ line: null });
    expect(await ask(["  \n"])).toMatchObject({ line: null });
  });

  it("a line without end does not grow without bound", async () => {
    const { line } = await ask(["x".repeat(200_000), "\n"]);
    expect(line).toHaveLength(65_536);
  });
});

describe("on a terminal", () => {
  it("nothing that is typed is echoed any more when the question appears", async () => {
    const order: string[] = [];
    const stream = new PassThrough();
    const stdin = Object.assign(stream, { isTTY: true, setRawMode: (on: boolean) => void order.push(on ? "silent" : "echo") }) as unknown as Input;
    const answer = askLine({ stdin, write: (text) => void order.push(text), question: "Passphrase: " });
    stream.write("secret\r");
    await answer;
    expect(order).toEqual(["silent", "Passphrase: ", "echo", "\n"]);
  });

  it("the line is read raw, edited by hand, shown nowhere, and the mode is given back", async () => {
    expect(await ask(["wrong\u0015", "sec", "x\u007fret\r"], true, false)).toEqual({ line: "secret", asked: "Key: \n", raw: [true, false] });
  });

  it("Ctrl+C and Ctrl+D give up", async () => {
    expect(await ask(["abc\u0003"], true, false)).toMatchObject({ line: null, raw: [true, false] });
    expect(await ask(["abc\u0004"], true, false)).toMatchObject({ line: null });
  });

  it("an empty Enter is waited out", async () => {
    expect(await ask(["\r\r", "late\r"], true, false)).toMatchObject({ line: "late" });
  });
});

const lineWith = (signal: AbortSignal) => {
  const stdin = new PassThrough();
  const answer = askLine({ stdin: stdin as unknown as Input, write: () => {}, question: "", signal });
  stdin.end("line\n");
  return answer;
};

describe("a signal", () => {
  it("that does not fire changes nothing; one that has fired already asks nothing", async () => {
    expect((await lineWith(new AbortController().signal))?.reveal()).toBe("line");
    expect(await lineWith(AbortSignal.abort())).toBe(null);
  });

  it("ends the waiting without an answer", async () => {
    const stop = new AbortController();
    const answer = askLine({ stdin: new PassThrough() as unknown as Input, write: () => {}, question: "", signal: stop.signal });
    stop.abort();
    expect(await answer).toBe(null);
  });
});

describe("the passphrase of a sealed store", () => {
  it("is asked for once, on standard error, and not shown", async () => {
    const [input, stderr] = [new PassThrough(), new PassThrough()];
    const askPassphrase = createPassphrasePrompt({ stdin: Object.assign(input, { isTTY: true, setRawMode: () => {} }) as unknown as Input, stderr: stderr as unknown as Output });
    const both = Promise.all([askPassphrase(), askPassphrase()]);
    input.write("open sesame\r");
    expect((await both).map((answer) => answer?.reveal())).toEqual(["open sesame", "open sesame"]);
    expect((await askPassphrase())?.reveal()).toBe("open sesame");
    expect(stderr.read(stderr.readableLength).toString()).toBe("Passphrase of the account store: \n");
  });

  it("is not asked for where nobody can answer", async () => {
    expect(await createPassphrasePrompt(fakeContext())()).toBe(null);
  });

  it("the local key alone needs none: the store is not opened", async () => {
    let opened = false;
    const openStore = async (): Promise<never> => {
      opened = true;
      throw new Error("sealed");
    };
    const context = fakeContext({ parts: { openStore } });
    expect([await context.run("print-key"), await context.run("env"), opened]).toEqual([0, 0, false]);
  });
});
