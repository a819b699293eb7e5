// Servers quote what they were sent; nobody who reads the sentence may learn it.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { withoutSecrets } from "../../src/lib/without-secrets.ts";

describe("a sentence of a server", () => {
  it("has stars for what was sent, as it is and URL-encoded, and for what looks like a token of the provider", () => {
    const text = "no opaque/token+1, opaque%2Ftoken%2B1, SK-ant-api03-AbC_d-9 of ada@example.com";
    expect(withoutSecrets(text, [secret("opaque/token+1")])).toBe("no ***, ***, *** of a…@…");
  });

  it("keeps ordinary words, although a short secret may be one of them", () => {
    expect(withoutSecrets("bad request: max_tokens", [secret("request"), secret("")])).toBe("bad request: max_tokens");
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
