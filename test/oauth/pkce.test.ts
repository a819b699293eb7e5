import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { challengeOf, createPkce, createState } from "../../src/oauth/pkce.ts";

describe("A21 the proof key", () => {
  it("has a verifier of 86 characters out of 64 random bytes, and the state is another draw", () => {
    const draws: number[] = [];
    const random = (size: number): Uint8Array => {
      draws.push(size);
      return new Uint8Array(size).fill(draws.length);
    };
    const { verifier } = createPkce(random);
    const state = createState(random);
    expect(draws).toEqual([64, 64]);
    expect(verifier.reveal()).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(state.reveal()).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(state.reveal()).not.toBe(verifier.reveal());
  });

  it("is fresh every time", () => {
    const verifiers = Array.from({ length: 50 }, () => createPkce(systemRandom).verifier.reveal());
    expect(new Set(verifiers).size).toBe(50);
  });

  it("gives the challenge of RFC 7636 appendix B", () => {
    expect(challengeOf(secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });
});
