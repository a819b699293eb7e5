import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { authorizeUrl } from "../../src/oauth/authorize-url.ts";
import { settings } from "./settings.ts";

const request = { kind: "max" as const, settings, redirectUri: "http://localhost:4001/callback", state: secret("state-1"), challenge: "challenge-1" };

describe("the link to sign in with", () => {
  it("carries exactly the parameters of the authorization request", () => {
    const url = new URL(authorizeUrl(request));
    expect(url.origin + url.pathname).toBe("https://page.example/oauth/authorize");
    expect([...url.searchParams]).toEqual([
      ["code", "true"],
      ["client_id", "client-1"],
      ["response_type", "code"],
      ["redirect_uri", "http://localhost:4001/callback"],
      ["scope", "user:profile user:inference"],
      ["code_challenge", "challenge-1"],
      ["code_challenge_method", "S256"],
      ["state", "state-1"],
    ]);
  });

  it("leads to the console's page for an API key", () => {
    expect(authorizeUrl({ ...request, kind: "console" })).toMatch(/^https:\/\/console\.example\/oauth\/authorize\?/);
  });

  it("keeps what the configured page has of its own, and can be pasted into a shell", () => {
    const link = authorizeUrl({ ...request, settings: { ...settings, authorizeUrl: "https://page.example/authorize?orgUUID=1" } });
    expect(link).toMatch(/^https:\/\/page\.example\/authorize\?orgUUID=1&code=true&/);
    expect(link).not.toMatch(/[\s"'<>`]/);
  });
});
