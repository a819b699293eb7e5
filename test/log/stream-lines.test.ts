// A reader that is slow or gone is the reader's trouble.
import { Writable } from "node:stream";
import { setImmediate as immediately } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createStreamLines } from "../../src/log/stream-lines.ts";

const collecting = () => {
  const seen: string[] = [];
  let release: (() => void) | null = null;
  let held = false;
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      seen.push(chunk);
      if (held) release = done;
      else done();
    },
  });
  return {
    stream,
    seen,
    hold: () => void (held = true),
    letGo() {
      held = false;
      release?.();
    },
  };
};

describe("lines to a stream", () => {
  it("come out in order, those of one moment together, and by themselves", async () => {
    const { stream, seen } = collecting();
    const lines = createStreamLines(stream);
    for (const line of ["a", "b", "c"]) lines.write(line);
    await immediately();
    lines.write("d");
    await immediately();
    expect(seen).toEqual(["a\nb\nc\n", "d\n"]);
  });

  it("the last ones of a process that ends at once are not lost", () => {
    const { stream, seen } = collecting();
    const lines = createStreamLines(stream);
    lines.write("the reason");
    lines.flush();
    expect(seen).toEqual(["the reason\n"]);
  });

  it("a reader that stopped costs about a megabyte, and is told how many lines it lost", async () => {
    const { stream, seen, hold, letGo } = collecting();
    hold();
    const lines = createStreamLines(stream);
    const line = "x".repeat(1000);
    for (let count = 0; count < 5000; count += 1) lines.write(line);
    expect(stream.writableLength).toBeLessThan(1.2 * 1024 * 1024);
    letGo();
    await lines.close();
    lines.write("afterwards");
    await lines.close();
    const lost = Number(/\((\d+) log lines left out/.exec(seen.join(""))?.[1]);
    expect(lost + seen.join("").split("\n").filter((text) => text.startsWith("xxx")).length).toBe(5000);
    expect(seen.at(-1)?.endsWith("afterwards\n")).toBe(true);
  });

  it("a pipe that breaks ends the writing and nothing else (F15)", async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("broken pipe"), { code: "EPIPE" })) });
    const lines = createStreamLines(stream);
    lines.write("one");
    lines.write("two");
    await lines.close();
    lines.write("three");
    await lines.close();
    expect(stream.destroyed).toBe(true);
  });
});
