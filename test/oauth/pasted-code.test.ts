import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { readPastedCode } from "../../src/oauth/pasted-code.ts";

const [first, second] = ["s".repeat(86), "t".repeat(86)];
const link = `https://page.example/oauth/authorize?code=true&client_id=c&response_type=code&code_challenge=x&state=${first}`;
const read = (text: string) => readPastedCode(text, { states: [secret(first), secret(second)], links: [link] });
const shown = (text: string): string => {
  const result = read(text);
  return result.outcome === "code" ? `${result.code.reveal()} ${[first, second].indexOf(result.state.reveal())}` : result.outcome === "nothing" ? "nothing" : `${result.code}: ${result.message}`;
};
const good = `abc-123_DEF#${first}`;

describe("a paste that is taken", () => {
  it.each([
    ["code#state", good],
    ["with blanks and line breaks around", ` \t\n${good}\r\n `],
    ["behind and before 65,000 blanks", `${" ".repeat(65_000)}${good}${"\t".repeat(65_000)}`],
    ["in quotes", `"${good}"`],
    ["in typographic quotes and backticks", `\u201c\u0060${good}\u0060\u201d`],
    ["wrapped by a narrow terminal, with padding", `abc-12   \n   3_DEF#${first.slice(0, 40)}\r\n${first.slice(40)}`],
    ["with zero-width characters in it", `\ufeffabc-\u200b123\u200d_DEF#\u2060${first}`],
    ["with marks of bracketed paste", `\u001b[200~${good}\u001b[201~`],
    ["with marks of bracketed paste without their escape", `[200~${good}[201~`],
    ["with blanks around the #", `abc-123_DEF # ${first}`],
    ["the address of the page it led to", `https://page.example/oauth/code/callback?code=abc-123_DEF&state=${first}`],
    ["the address with more in it", `https://page.example/cb?x=1&state=${first}&code=abc-123_DEF&iss=y`],
    ["code= and state=", `code=abc-123_DEF&state=${first}`],
    ["state= before code=, with ?", `?state=${first}&code=abc-123_DEF`],
  ])("%s", (_name, text) => {
    expect(shown(text)).toBe("abc-123_DEF 0");
  });

  it("of the browser's link is known by its state", () => {
    expect(shown(`http://localhost:4001/callback?code=abc&state=${second}`)).toBe("abc 1");
    expect(shown(`abc#${second}`)).toBe("abc 1");
  });

  it("keeps what is percent-encoded in an address", () => {
    expect(shown(`code=a%2Bb%23c&state=${first}`)).toBe("a+b#c 0");
  });
});

const incomplete = "incomplete: Not complete: the part after # is missing. Use the Copy button on the page.";
const cut = "cut: The code was cut when copying. Copy it again.";
const foreign = "foreign-state: This code belongs to another sign-in attempt. Press o for a new page.";
const key = "key: That is a key, not a login code. Nothing was stored.";
const signInLink = "sign-in-link: That is the sign-in link. Open it, then paste the code the page shows.";

describe("every other paste has a sentence of its own", () => {
  it.each([
    ["nothing", "", "nothing"],
    ["blanks", " \t\r\n \u200b", "nothing"],
    ["the sign-in link", link, signInLink],
    ["a sign-in link of another attempt", link.replace(first, "other"), signInLink],
    ["the sign-in link, cut off", link.slice(0, 60), signInLink],
    ["some other address", "https://page.example/help", "no-code-in-link: That link carries no code. Paste the code the page shows, or the address of the page it led to."],
    ["an address that says no", `http://localhost:1/callback?error=access_denied&state=${first}`, "denied: The sign-in was refused on the page. Open the link again and press Authorize."],
    ["an access token", "sk-ant-oat01-abcdef", key],
    ["an API key in quotes", '"sk-ant-api03-abc"', key],
    ["a key in another line", `x\nsk-ant-api03-abc#${first}`, key],
    ["a code without #", "abc-123_DEF", incomplete],
    ["a code with an empty state", "abc#", incomplete],
    ["a state without a code", `#${first}`, incomplete],
    ["an address without a state", "https://page.example/cb?code=abc", incomplete],
    ["an address with two codes", `https://page.example/cb?code=a&code=b&state=${first}`, incomplete],
    ["an inner blank", `abc 123#${first}`, cut],
    ["an inner no-break blank", `abc\u00a0123#${first}`, cut],
    ["an ellipsis", `abc…#${first}`, cut],
    ["three dots", `abc...#${first}`, cut],
    ["an address with an ellipsis", `https://page.example/cb?code=ab…&state=${first}`, cut],
    ["another state", "abc#other", foreign],
    ["a state that lacks its last character", good.slice(0, -1), foreign],
    ["a state with one character more", `${good}x`, foreign],
    ["an address with another state", "https://page.example/cb?code=abc&state=other", foreign],
    ["5000 characters", "x".repeat(5000), "too-long: Too long (5 000 characters); expected about 100-200."],
    ["12 340 characters with #", `${"x".repeat(12_333)}#${"y".repeat(6)}`, "too-long: Too long (12 340 characters); expected about 100-200."],
    ["a whole file", "x".repeat(1_234_567), "too-long: Too long (1 234 567 characters); expected about 100-200."],
  ])("%s", (_name, text, sentence) => {
    expect(shown(text)).toBe(sentence);
  });

  it("and no sentence ever holds a part of the paste", () => {
    const token = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/);
    fc.assert(fc.property(token, fc.constantFrom("", "#", " ", "…", "#nope", "?code=", "sk-ant-"), (text, extra) => {
      expect(shown(extra + text + extra)).not.toContain(text);
    }));
  });

  it("no text whatsoever makes it throw, and only an exact state is taken", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (code, state) => {
      const result = read(`${code}#${state}`);
      expect(result.outcome === "code").toBe(result.outcome === "code" && result.state.reveal() === first);
      expect(() => read(code)).not.toThrow();
    }));
  });
});
