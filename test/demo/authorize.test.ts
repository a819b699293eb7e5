// Consent in the browser: which links are believed, what the page shows, who may press its buttons, where it leads.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkAuthorizeRequest } from "../../src/demo/authorize.ts";
import { clientId } from "../../src/demo/users.ts";
import { exchangeFields, login, start, token } from "./kit.ts";

const html = { accept: "text/html" };
const field = (page: string, name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? "";

describe("the authorize page", () => {
  it("names the account, the client and the scopes, and offers both decisions", async () => {
    const upstream = await start();
    const response = await fetch(login(upstream).url, { headers: html });
    const page = await response.text();
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(page).toContain("ada@example.com");
    expect(page).toContain("Claude Code would like to connect");
    expect(page).toContain("user:inference");
    expect(page).toMatch(/>Authorize<.*>Deny</);
  });

  it("gives code#state for pasting after consent, on both authorize addresses", async () => {
    const upstream = await start();
    const { url, state } = login(upstream);
    expect(await upstream.approve(url)).toMatch(new RegExp(`^[A-Za-z0-9_-]{43}#${state}$`));
    const consoleUrl = url.replace(upstream.settings()["oauth.authorizeUrl"], upstream.settings()["oauth.consoleAuthorizeUrl"]);
    expect(await upstream.approve(consoleUrl)).toMatch(new RegExp(`#${state}$`));
  });

  it("gives a reader without HTML the bare line, so that curl -sL prints it", async () => {
    const upstream = await start();
    const { url, state } = login(upstream);
    const response = await fetch(url, { headers: { accept: "*/*" } });
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(await response.text()).toMatch(new RegExp(`^[A-Za-z0-9_-]{43}#${state}\n$`));
  });

  it("says access_denied after Deny", async () => {
    const upstream = await start();
    expect(await upstream.deny(login(upstream).url)).toContain("access_denied");
  });

  it("follows the loopback redirect with code and state, as a navigation from another site", async () => {
    const upstream = await start();
    const seen: { url: string; site: string }[] = [];
    const callback = createServer((request, response) => {
      seen.push({ url: request.url ?? "", site: String(request.headers["sec-fetch-site"]) });
      response.end("you may close this page");
    });
    await new Promise<void>((resolve) => void callback.listen(0, "127.0.0.1", () => resolve()));
    const redirect_uri = `http://localhost:${(callback.address() as AddressInfo).port}/callback`;
    const { url, state } = login(upstream, { redirect_uri });
    expect(await upstream.approve(url)).toBe("you may close this page");
    await upstream.deny(url);
    callback.close();
    expect(seen[0]?.url).toMatch(new RegExp(`^/callback\\?code=[\\w-]{43}&state=${state}$`));
    expect(seen[1]?.url).toContain(`error=access_denied`);
    expect(seen.map(({ site }) => site)).toEqual(["cross-site", "cross-site"]);
  });

  it("refuses on a page, with the reason, and never redirects then", async () => {
    const upstream = await start();
    const { url } = login(upstream, { redirect_uri: "https://evil.example/callback" });
    const response = await fetch(url, { headers: html, redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    await expect(upstream.approve(url)).rejects.toMatchObject({ code: "login-failed", message: expect.stringContaining("redirect_uri not supported by client") });
  });

  it("takes a decision only with the token and the cookie of its own page, and only once", async () => {
    const upstream = await start();
    const response = await fetch(login(upstream).url, { headers: html });
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(response.headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Strict/);
    const page = await response.text();
    const body = { handle: field(page, "handle"), csrf: field(page, "csrf"), decision: "authorize" };
    const press = (change: object, headers: Record<string, string>) =>
      fetch(upstream.settings()["oauth.authorizeUrl"], { method: "POST", headers: { ...html, ...headers }, body: new URLSearchParams({ ...body, ...change }), redirect: "manual" });
    expect((await press({ csrf: "wrong" }, { cookie })).status).toBe(403);
    expect((await press({}, {})).status).toBe(403);
    expect((await press({}, { cookie: "simulated_anthropic_session=wrong" })).status).toBe(403);
    expect((await press({}, { cookie })).status).toBe(302);
    expect((await press({}, { cookie })).status).toBe(400);
  });

  it("signs in the person who was chosen", async () => {
    const upstream = await start();
    const { url, verifier, redirectUri } = login(upstream);
    const [code, state] = (await upstream.approve(url, { user: "grace" })).split("#");
    const fields = { ...(await exchangeFields(upstream)), code, state, code_verifier: verifier, redirect_uri: redirectUri };
    expect((await token(upstream, fields)).body["account"]).toMatchObject({ email_address: "grace@example.com" });
    const hinted = await fetch(`${login(upstream).url}&login_hint=alan`, { headers: html });
    expect(await hinted.text()).toContain("Signed in as <strong>Alan Example");
  });
});

describe("text from a link on the page", () => {
  it("cannot bring markup in by state, code or error", async () => {
    const upstream = await start();
    const attack = '"><script>alert(1)</script>';
    const query = new URLSearchParams({ code: attack, state: attack });
    const shown = await fetch(`${upstream.settings()["oauth.redirectUri"]}?${query}`, { headers: html });
    expect(await shown.text()).not.toContain("<script");
    const failed = await fetch(`${upstream.settings()["oauth.redirectUri"]}?${new URLSearchParams({ error: attack })}`, { headers: html });
    expect(await failed.text()).not.toContain("<script");
    const unknown = await fetch(login(upstream, { scope: attack }).url, { headers: html });
    expect(await unknown.text()).not.toContain("<script");
  });
});

const base = "http://127.0.0.1:1234";
const good = {
  client_id: clientId,
  response_type: "code",
  redirect_uri: `${base}/oauth/code/callback`,
  scope: "user:profile user:inference",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
  state: "s",
};

const check = (change: Readonly<Record<string, string | undefined>> = {}) => {
  const entries = Object.entries({ ...good, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return checkAuthorizeRequest(new URLSearchParams(entries), base);
};

describe("the link of the authorize page", () => {
  it("is accepted with the hosted redirect and a loopback callback on any port", () => {
    expect(check()).toMatchObject({ ok: true, request: { scopes: ["user:profile", "user:inference"], state: "s" } });
    expect(check({ redirect_uri: "http://localhost:54545/callback" })).toMatchObject({ ok: true });
  });

  it.each([
    ["client_id", "somebody-else", "Unknown client_id"],
    ["client_id", undefined, "Unknown client_id"],
    ["response_type", "token", "response_type must be code"],
    ["scope", undefined, "Missing scope"],
    ["scope", "user:inference admin", "Unknown scope: admin"],
    ["code_challenge_method", "plain", "code_challenge_method must be S256"],
    ["code_challenge", good.code_challenge.slice(1), "code_challenge must be 43 base64url characters"],
    ["code_challenge", `${good.code_challenge}A`, "code_challenge must be 43 base64url characters"],
    ["code_challenge", "short", "code_challenge must be 43 base64url characters"],
    ["code_challenge", `${good.code_challenge}=`, "code_challenge must be 43 base64url characters"],
    ["state", undefined, "Missing state parameter"],
    ["state", "", "Missing state parameter"],
  ])("with %s = %s is refused", (name, value, message) => {
    expect(check({ [name]: value })).toEqual({ ok: false, message });
  });

  it.each([
    "https://evil.example/callback",
    "http://127.0.0.1:5000/callback",
    "http://localhost:0/callback",
    "http://localhost:65536/callback",
    "http://localhost/callback",
    "http://localhost:80/callback/",
    "http://localhost:80/callback?x=1",
    "http://localhost:80@evil.example/callback",
    `${base}/oauth/code/callback/`,
    "http://127.0.0.1:9999/oauth/code/callback",
  ])("with the redirect %s is refused", (redirect_uri) => {
    expect(check({ redirect_uri })).toEqual({ ok: false, message: "redirect_uri not supported by client" });
  });

  it("with a parameter that is given twice is refused", () => {
    expect(checkAuthorizeRequest(new URLSearchParams([...Object.entries(good), ["state", "t"]]), base)).toMatchObject({ ok: false });
  });

  it("never redirects to an address that was made up", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (redirect_uri) => {
        expect(check({ redirect_uri }).ok).toBe(false);
      }),
    );
  });
});
