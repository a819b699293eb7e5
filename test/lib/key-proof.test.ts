import { describe, expect, it } from "vitest";
import { answerKeyChallenge, createKeyChallenge, nonceHeader, proofHeader } from "../../src/lib/key-proof.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";

const key = secret("cop_the-local-key-of-this-machine");
const host = "127.0.0.1:4001";

const challenge = (own = key, asked = host) => {
  const made = createKeyChallenge(own, { host: asked, random: systemRandom });
  return { made, sent: { host: asked, nonce: made.headers[nonceHeader] ?? "", proof: made.headers[proofHeader] ?? "" } };
};

describe("the proof of the local key", () => {
  it("is accepted from a program that knows the key, in whatever case the name was asked", () => {
    const { made, sent } = challenge();
    expect(made.accepts(answerKeyChallenge(key, sent))).toBe(true);
    expect(made.accepts(answerKeyChallenge(key, { ...sent, host: host.toUpperCase() }))).toBe(true);
  });

  it("cannot be given by a program that does not know it, nor be the caller's own proof sent back (S3)", () => {
    const { made, sent } = challenge();
    expect(made.accepts(sent.proof)).toBe(false);
    expect(made.accepts(answerKeyChallenge(secret("cop_another-key-of-another-machine"), sent))).toBe(false);
    for (const answer of [null, undefined, "", {}, 7]) expect(made.accepts(answer)).toBe(false);
  });

  it("cannot be passed on: it is bound to the name and the port that were asked (S3)", () => {
    const { made, sent } = challenge(key, "127.0.0.1:5000");
    expect(answerKeyChallenge(key, { ...sent, host })).toBeNull();
    expect(made.accepts(answerKeyChallenge(key, challenge().sent))).toBe(false);
  });

  it("is given to no caller that does not know the key, and for no nonce that could be guessed", () => {
    const { sent } = challenge();
    expect(answerKeyChallenge(key, { ...sent, proof: "" })).toBeNull();
    expect(answerKeyChallenge(key, challenge(secret("cop_another-key-of-another-machine")).sent)).toBeNull();
    expect(answerKeyChallenge(key, { ...sent, nonce: "short" })).toBeNull();
  });

  it("shows nothing of the key, and is another one each time", () => {
    const [one, two] = [challenge(), challenge()];
    expect(one.sent).not.toEqual(two.sent);
    expect(JSON.stringify(one.sent)).not.toContain("local-key-of-this");
  });
});
