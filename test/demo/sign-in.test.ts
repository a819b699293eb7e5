// The whole way of a person: authorize page, code, token, refresh, a message; over real sockets.
import { createHash, randomBytes } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createUpstream, type Upstream } from "../../src/demo/upstream.ts";
import { clientId } from "../../src/demo/registered-client.ts";

let upstream: Upstream;
afterEach(() => upstream.close());

it("gives a code for consent, tokens for the code, and an answer for the token", async () => {
  upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  const settings = upstream.settings();
  const verifier = randomBytes(64).toString("base64url");
  const query = new URLSearchParams({
    code: "true",
    client_id: clientId,
    response_type: "code",
    redirect_uri: settings["oauth.redirectUri"],
    scope: "user:inference user:profile",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    state: "abc",
  });
  const pasted = await upstream.approve(`${settings["oauth.authorizeUrl"]}?${query}`);
  const [code, state] = pasted.split("#");
  const body = { grant_type: "authorization_code", code, state, client_id: clientId, redirect_uri: settings["oauth.redirectUri"], code_verifier: verifier };
  const response = await fetch(settings["oauth.tokenUrl"], { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const grant = (await response.json()) as { access_token: string };
  expect(grant).toMatchObject({ token_type: "Bearer", expires_in: 28_800, scope: "user:inference user:profile" });
  const answer = await fetch(`${upstream.baseUrl}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${grant.access_token}`, "anthropic-beta": "oauth-2025-04-20", "anthropic-version": "2023-06-01", "content-type": "application/json" },
    body: JSON.stringify({ model: "claude-opus-4-8", max_tokens: 1000, stream: true, messages: [{ role: "user", content: "hello" }] }),
  });
  const text = await answer.text();
  expect(text.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
});
