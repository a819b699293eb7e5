import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { challengeOf, createAuthorizationRequest } from "../../src/oauth/authorization-request.ts";
import { settings } from "./settings.ts";

const options = { kind: "max" as const, settings, redirectUri: "http://localhost:4001/callback" };

describe("the link to sign in with", () => {
  it("carries exactly the parameters of the authorization request", () => {
    const { link, state, verifier, redirectUri } = createAuthorizationRequest(systemRandom, options);
    const url = new URL(link);
    expect(redirectUri).toBe("http://localhost:4001/callback");
    expect(url.origin + url.pathname).toBe("https://page.example/oauth/authorize");
    expect([...url.searchParams]).toEqual([
      ["code", "true"],
      ["client_id", "client-1"],
      ["response_type", "code"],
      ["redirect_uri", "http://localhost:4001/callback"],
      ["scope", "user:profile user:inference"],
      ["code_challenge", challengeOf(verifier)],
      ["code_challenge_method", "S256"],
      ["state", state.reveal()],
    ]);
  });

  it("leads to the console's page for an API key", () => {
    expect(createAuthorizationRequest(systemRandom, { ...options, kind: "console" }).link).toMatch(/^https:\/\/console\.example\/oauth\/authorize\?/);
  });

  it("keeps what the configured page has of its own, and can be pasted into a shell", () => {
    const { link } = createAuthorizationRequest(systemRandom, { ...options, settings: { ...settings, authorizeUrl: "https://page.example/authorize?orgUUID=1" } });
    expect(link).toMatch(/^https:\/\/page\.example\/authorize\?orgUUID=1&code=true&/);
    expect(link).not.toMatch(/[\s"'<>`]/);
  });
});

describe("a page that has no web address", () => {
  it.each(["javascript:alert(1)//", "data:text/html,x", "file:///x.html", "not an address"])("gets no link: %s", (address) => {
    const own = { ...settings, authorizeUrl: address, consoleAuthorizeUrl: address };
    for (const kind of ["max", "console"] as const) {
      expect(() => createAuthorizationRequest(systemRandom, { ...options, kind, settings: own })).toThrow(expect.objectContaining({ code: "bad-config" }));
    }
  });
});

describe("the proof key of one request (A21)", () => {
  it("has a verifier of 86 characters out of 64 random bytes, and the state is another draw", () => {
    const draws: number[] = [];
    const random = (size: number): Uint8Array => {
      draws.push(size);
      return new Uint8Array(size).fill(draws.length);
    };
    const { verifier, state } = createAuthorizationRequest(random, options);
    expect(draws).toEqual([64, 64]);
    expect(verifier.reveal()).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(state.reveal()).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(state.reveal()).not.toBe(verifier.reveal());
  });

  it("is fresh every time", () => {
    const verifiers = Array.from({ length: 50 }, () => createAuthorizationRequest(systemRandom, options).verifier.reveal());
    expect(new Set(verifiers).size).toBe(50);
  });

  it("gives the challenge of RFC 7636 appendix B", () => {
    expect(challengeOf(secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });
});
