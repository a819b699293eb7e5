// Known secrets are taken out of a text by value, in whole and in part, however it is written.
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecretFilter } from "../../src/lib/secret-filter.ts";
import { secret } from "../../src/lib/secret.ts";

const token = "sk-ant-oat01-CANARYcanary0123456789_CANARY-canary9876543210AbCdEfGhIjKlMnOpQrStUvWxYz";
const other = "sk-ant-oat01-" + "zyxwvutsrqponmlkjihgfedcba9876543210".repeat(2);

const filterOf = (...values: readonly string[]) => {
  const filter = createSecretFilter();
  filter.update(values.map(secret), 0);
  return filter;
};

const base64 = (text: string, coding: "base64" | "base64url" = "base64"): string => Buffer.from(text).toString(coding);

const passing = (number: number): string => createHash("sha256").update(String(number)).digest("base64url");

describe("a secret that is held", () => {
  it.each([
    ["as it is", `no ${token}, please`, "no ***, please"],
    ["twice", `${token} ${token}`, "*** ***"],
    ["in lower case, as a media type is shown", `text/${token.toLowerCase()}`, "text/***"],
    ["cut at its end", `bad ${token.slice(0, 40)}…`, "bad ***…"],
    ["cut near its beginning", `bad ${token.slice(0, 19)}…`, "bad ***…"],
    ["cut at its beginning", `…${token.slice(-40)}`, "…***"],
    ["cut at both ends", token.slice(20, 50), "***"],
    ["beside another one", `${token}${other}`, "***"],
    ["between others of its kind", `sk-ant-oat01-unknown ${token}`, "sk-ant-oat01-unknown ***"],
  ])("is not shown %s", (_name, text, clean) => {
    expect(filterOf(token, other).clean(text)).toBe(clean);
  });

  it.each([0, 1, 2, 3])("is not shown in base64, behind %d other bytes", (before) => {
    const clean = filterOf(token).clean(`Basic ${base64("u".repeat(before) + token)}`);
    expect(clean).toMatch(/^Basic .{0,5}\*\*\*.{0,3}$/);
  });

  it("is not shown URL-encoded, or in base64 for addresses", () => {
    const password = "päss/wörd?>~~~ with blanks & more of them";
    const filter = filterOf(password);
    expect(filter.clean(`a=${encodeURIComponent(password)}&b`)).toBe("a=***&b");
    expect(filter.clean(base64(password, "base64url"))).toMatch(/^\*\*\*.?$/);
  });

  it.each(["hunter22", "correct horse"])("is not shown when it is short: %s", (password) => {
    const filter = filterOf(token, password);
    expect(filter.clean(`user:${password}@host`)).toBe("user:***@host");
    expect(filter.clean(Buffer.from(`user:${password}`).toString("base64"))).toContain("***");
  });

  it("leaves alone what is too short to be one, and what all tokens begin with", () => {
    expect(filterOf(token, "in", "").clean("listening in vain for sk-ant-oat01-")).toBe("listening in vain for sk-ant-oat01-");
  });

  it("is hidden for an hour after it was replaced, and then forgotten", () => {
    const filter = filterOf(token);
    filter.update([secret(other)], 3_600_000);
    expect(filter.clean(token)).toBe("***");
    filter.update([secret(other)], 3_600_001);
    expect(filter.clean(token)).toBe(token);
    expect(filter.clean(other)).toBe("***");
  });

  it("is not crowded out by thousands that come and go, of which the latest are remembered", () => {
    const filter = filterOf(token);
    for (let number = 1; number <= 2000; number += 1) filter.update([secret(token), secret(passing(number))], number);
    expect(filter.clean(`${token} ${passing(2000)} ${passing(1990)}`)).toBe("*** *** ***");
    expect(filter.clean(passing(3))).toBe(passing(3));
  });

  it("with half a character in it stops nothing", () => {
    expect(filterOf(`half-a-character-\ud800-${token}`).clean("text")).toBe("text");
  });

  it("is never left in any text, whatever is around it", () => {
    const value = fc.stringMatching(/^[\u0021-\u007e]{8,120}$/).filter((text) => !text.includes("*"));
    fc.assert(
      fc.property(value, fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), fc.nat(40), (text, before, after, cut) => {
        const filter = filterOf(text, token);
        expect(filter.clean(before + text + after)).not.toContain(text);
        const part = text.slice(cut);
        if (part.length >= 24) expect(filter.clean(before + part)).not.toContain(part);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves every other text as it is", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => filterOf(token, other).clean(text) === text));
  });
});
