// The last net: what looks like a secret, or is one we hold, never leaves in a line.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonFormat, createTextFormat, formatRecord } from "../../src/log/format.ts";
import { createRedact, withoutEmail, withoutSecrets } from "../../src/lib/redact.ts";
import { secret } from "../../src/lib/secret.ts";
import { growth } from "../helpers/growth.ts";
import { everyEvent } from "../log/every-event.ts";

const canary = "CANARYcanary0123456789CANARY";

describe("by shape and name", () => {
  it.each([
    `sk-ant-oat01-${canary}`,
    `key sk-ant-api03-${canary}-_x.`,
    `Authorization: Bearer ${canary}`,
    `authorization=bearer   ${canary}`,
    `cop_${canary}`,
    `${canary}#${canary}`,
    `https://claude.ai/callback?code=${canary}&state=${canary}`,
    `{"access_token":"${canary}","refresh_token": "${canary}"}`,
    `x-api-key: ${canary}`,
    `code_verifier=${canary}`,
    `cookie: session=${canary}`,
    `http://user:${canary}@proxy.example:3128`,
    `http://user:${canary}@localhost:3128`,
    `https://user:p@${canary}@localhost/`,
    `passphrase: ${canary}`,
    `CLAUDE_OAUTH_PROXY_PASSPHRASE=${canary}`,
    `{"password":"${canary}"}`,
    `proxy-authorization: Basic ${canary}=`,
    `set-cookie: id=${canary}; HttpOnly`,
    `eyJhbGciOiJIUzI1NiJ9.${canary}.${canary}`,
  ])("takes the secret out of: %s (S14)", (text) => {
    const clean = createRedact()(`before ${text} after`);
    expect(clean).not.toMatch(/canary/i);
    expect(clean).toMatch(/^before /);
  });

  it("an e-mail address is replaced", () => {
    expect(createRedact()("label of jane.doe+x@example.co.uk here")).toBe("label of j…@… here");
  });

  it.each([
    "r1 POST /v1/messages: 200 ok in 1.2 s, first byte 800 ms, req_011CSHoEeqs5C35K2UUqR7Fy",
    "listening on http://127.0.0.1:4001 (oauth, version 0.1.0, pid 7)",
    "refresh failed (2): invalid_grant: the refresh token was revoked; not tried again",
    "session 9f3c1a52-7c1e-4a54-9b5e-0e9c6a5d1f00 code: ECONNRESET state: healthy",
    "Number of request tokens has exceeded your per-minute rate limit",
  ])("what is needed to find a fault stays: %s", (text) => {
    expect(createRedact()(text)).toBe(text);
  });
});

describe("by value", () => {
  it("a secret we hold is found anywhere, also percent-encoded, and the newest ones count", () => {
    let held = [secret("first/secret+value")];
    const redact = createRedact(() => held);
    expect(redact("a first/secret+value b first%2Fsecret%2Bvalue c")).toBe("a *** b *** c");
    held = [secret("second-secret")];
    expect(redact("second-secret")).toBe("***");
  });

  it("a very short value does not blank ordinary words", () => {
    expect(createRedact(() => [secret("in"), secret("")])("listening in vain")).toBe("listening in vain");
  });

  it("no event with a held secret in any field leaves it in a line, in JSON or in a recording", () => {
    const redact = createRedact(() => [secret(canary)]);
    const formats = [createTextFormat(redact), createJsonFormat(redact), (event: Record<string, unknown>) => formatRecord(event, redact)];
    for (const event of everyEvent(`x${canary}y`)) for (const format of formats) expect(format(event)).not.toContain(canary);
  });
});

describe("hostile length", () => {
  it("a megabyte of near misses is read in linear time", () => {
    const redact = createRedact();
    for (const part of ["a@", "sk-ant-", "Bearer ", "x.", "://a", "eyJ", "eyJ-", "?code="]) {
      expect(growth(4_000, (times) => redact(part.repeat(times))), part).toBeLessThan(4);
    }
  });

  it("any text is taken without throwing", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => typeof createRedact()(text) === "string"));
  });
});

describe("a sentence of a server", () => {
  it("has stars for what was sent, as it is and URL-encoded, and for what looks like a token of the provider", () => {
    const text = "no opaque/token+1, opaque%2Ftoken%2B1, SK-ant-api03-AbC_d-9 of ada@example.com";
    expect(withoutSecrets(text, [secret("opaque/token+1")])).toBe("no ***, ***, *** of a…@…");
  });

  it("keeps ordinary words, although a short secret may be one of them", () => {
    expect(withoutSecrets("bad request: max_tokens", [secret("request"), secret("")])).toBe("bad request: max_tokens");
  });

  it("is cut where it has no end", () => {
    expect(withoutSecrets("x".repeat(20_000), [])).toHaveLength(8000);
  });

  it("leaves no beginning of a secret where a long text is cut", () => {
    const token = "T".repeat(100);
    for (const before of [7900, 7950, 7999]) expect(withoutSecrets("x".repeat(before) + token, [secret(token)])).not.toContain("T");
  });

  it("never holds a secret, whatever is around it", () => {
    const value = fc.stringMatching(/^[\u0021-\u007e]{12,60}$/).filter((text) => !text.includes("*"));
    fc.assert(
      fc.property(value, fc.string(), fc.string(), (text, before, after) => {
        expect(withoutSecrets(before + text + after, [secret(text)])).not.toContain(text);
      }),
    );
  });
});

describe("text without e-mail addresses", () => {
  it.each([
    ["dana@example.com's Organization", "d…@…'s Organization"],
    ["<dana.o'neil+work@mail.example.co.uk> is blocked", "<d…@…> is blocked"],
    ["x@localhost, jürgen@bücher.example", "x@localhost, j…@…"],
    ["a@b.c and again bb@c.d", "a…@… and again b…@…"],
    ["claude-sonnet@20250929", "claude-sonnet@20250929"],
    ["no address here @all", "no address here @all"],
    ["", ""],
  ])("%j becomes %j", (text, expected) => {
    expect(withoutEmail(text)).toBe(expected);
  });

  it("reads text that is made to be slow in linear time", () => {
    expect(growth(3_000, (times) => withoutEmail(`${"a.".repeat(times)}@${"a-.".repeat(times)}`))).toBeLessThan(4);
  });
});
