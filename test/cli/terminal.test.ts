// Terminals: written to without waiting, and given back as they were.
import { describe, expect, it } from "vitest";
import { restoreSequence, unblock } from "../../src/cli/terminal.ts";

const output = (isTTY: boolean) => {
  const calls: boolean[] = [];
  return { calls, isTTY, writableLength: 0, _handle: { setBlocking: (blocking: boolean) => void calls.push(blocking) } };
};

describe("a terminal that may stop reading", () => {
  it("is written to without waiting, and is as before at the end", () => {
    const [out, error] = [output(true), output(true)];
    const restore = unblock([out, error]);
    expect([out.calls, error.calls]).toEqual([[false], [false]]);
    restore();
    expect([out.calls, error.calls]).toEqual([[false, true], [false, true]]);
  });

  it("is not waited for by anybody's last words: neither stream blocks again while one of them is stuck", () => {
    const [out, error] = [output(true), output(true)];
    const restore = unblock([out, error]);
    out.writableLength = 5;
    restore();
    expect([out.calls, error.calls]).toEqual([[false], [false]]);
  });

  it("is none of a pipe's business, nor of a stream without a handle", () => {
    const pipe = output(false);
    unblock([pipe, { isTTY: true, writableLength: 0 }])();
    expect(pipe.calls).toEqual([]);
  });
});

describe("a terminal that is given back", () => {
  it("gets its cursor and its screen back", () => {
    expect(restoreSequence).toContain("\u001b[?1049l");
    expect(restoreSequence).toContain("\u001b[?25h");
  });
});
