import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sameText, secret } from "../../src/lib/secret.ts";

describe("a secret", () => {
  const canary = "sk-ant-oat01-canary";
  const token = secret(canary);

  it("gives its value only when asked by name", () => {
    expect(token.reveal()).toBe(canary);
  });

  it.each([
    ["string conversion", () => String(token)],
    ["a template", () => `${token}`],
    ["JSON", () => JSON.stringify({ token })],
    ["inspection", () => inspect(token, { depth: 9, showHidden: true })],
    ["inspection inside an object", () => inspect({ deep: { token } }, { depth: 9 })],
    ["an error's message", () => String(new Error(`failed with ${token}`).stack)],
    ["its own keys", () => Object.entries(token).join()],
    ["a spread copy", () => JSON.stringify({ ...token })],
  ])("prints no part of it through %s", (_way, print) => {
    expect(print()).not.toContain("canary");
  });
});

it("sameText agrees with === for any two texts", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (left, right) => sameText(left, right) === (left === right)));
  fc.assert(fc.property(fc.string(), (text) => sameText(text, `${text}`)));
  expect(sameText("", "")).toBe(true);
});
