// Lines for people and for programs: readable, one line each, harmless to a terminal.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonFormat, createTextFormat } from "../../src/log/format.ts";
import { createRedact } from "../../src/lib/redact.ts";
import { at, everyEvent } from "./every-event.ts";

const redact = createRedact();
const text = (words: string): string[] => everyEvent(words).map(createTextFormat(redact));
const json = (words: string): string[] => everyEvent(words).map(createJsonFormat(redact));
const lineOf = (lines: readonly string[], part: string): string => lines.find((line) => line.includes(part)) ?? "";

// Everything a terminal could act upon, and everything that hides or reorders text.
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const dangerous = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;

describe("text lines", () => {
  it("begin with local time and level", () => {
    expect(text("x")[0]).toBe("2026-01-02 12:00:05 info  listening on http://127.0.0.1:4001 (oauth, version x, pid 7)");
  });

  it("the last line of a request names its method and path, who is to blame, the request id and the next step", () => {
    expect(lineOf(text("/v1/messages"), "429 throttle")).toBe(
      "2026-01-02 12:00:05 warn  r1 POST /v1/messages: 429 throttle: /v1/messages. Request req_011CS. Next: wait 12s. (12.1s, first byte 800ms, 100 B in, 200 B out)",
    );
  });

  it("every line about a request begins with its id, method and path", () => {
    const lines = text("/v1/messages").filter((line) => line.includes(" r1"));
    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => !line.slice(26).startsWith("r1 POST /v1/messages: "))).toEqual([]);
  });

  it("a request that is over is forgotten", () => {
    const format = createTextFormat(redact);
    const lines = [...everyEvent("/secret-path"), ...everyEvent("/other").filter(({ type }) => type === "request.finished")].map((event) => format(event));
    expect(lines.at(-1)).toContain(" r1: 429");
  });

  it("an account that needs a sign-in gets the command that does it", () => {
    expect(lineOf(text("revoked"), "sign in again")).toContain("a: sign in again (claude-oauth-proxy login --account a): revoked.");
  });

  it("an impossible time is said and not thrown", () => {
    expect(lineOf(text("x"), "refreshing the token")).toContain("valid until --:--");
    expect(createTextFormat(redact)({ type: "account.healthy", accountId: "a", at: Number.NaN, seq: 1 })).toBe("an impossible time info  a: serving again");
  });

  it("every type of event has a sentence of its own", () => {
    const lines = text("word").map((line) => line.slice(26));
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.every((line) => line.length > 10)).toBe(true);
  });
});

describe("hostile text", () => {
  const hostile = ["\u001b[2J", "\u001b]0;title\u0007", "\u001b]52;c;aGk=\u0007", "\u009b31m", "a\r\nb", "\u202eevil", "zero\u200bwidth", "\u2028", "\u0000"];

  it.each(hostile)("%j reaches neither a text line nor a JSON line (U1, U2, U4, U6)", (words) => {
    for (const line of [...text(words), ...json(words)]) expect(line).not.toMatch(dangerous);
  });

  it("no text whatever makes a line that moves a cursor or breaks, and JSON gives the text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (words) => {
        for (const line of text(words)) expect(line).not.toMatch(dangerous);
        for (const line of json(words)) {
          expect(line).toMatch(/^[\u0020-\u007e]+$/);
          expect(JSON.parse(line)).toMatchObject({ at });
        }
      }),
    );
  });

  it("a line that would never end is cut", () => {
    expect(Math.max(...text("x".repeat(100_000)).map((line) => line.length))).toBeLessThanOrEqual(1000);
  });
});

describe("JSON lines", () => {
  it("carry the whole record and its level", () => {
    expect(JSON.parse(json("x")[0] ?? "")).toEqual({ ...everyEvent("x")[0], level: "info" });
    expect(JSON.parse(lineOf(json("x"), '"notice"'))).toMatchObject({ level: "warn", hint: "x" });
  });
});
