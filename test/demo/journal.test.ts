// What a test can learn of the requests that came, and that nothing stays behind.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { connect } from "node:net";
import { ask, hello, oauthHeaders, rawAsk, start, wire } from "./kit.ts";

describe("requests", () => {
  it("keep method, target, raw headers, body, digest, account and connection", async () => {
    const upstream = await start();
    const body = JSON.stringify(hello);
    const headers = { ...oauthHeaders(upstream.issueTokens({ account: "grace" }).accessToken), "X-CaSe": "kept" };
    await (await fetch(`${upstream.baseUrl}/v1/messages?beta=true&a=%2F&a=;`, { method: "POST", headers, body })).text();
    const [seen] = upstream.requests;
    expect(seen).toMatchObject({ method: "POST", target: "/v1/messages?beta=true&a=%2F&a=;", account: "grace", connection: 1, status: 200, bodyComplete: true, aborted: false });
    expect(seen?.body.toString()).toBe(body);
    expect([seen?.bodyLength, seen?.bodySha256]).toEqual([body.length, createHash("sha256").update(body).digest("hex")]);
    expect(seen?.rawHeaders).toContain("X-CaSe");
    expect(seen?.bytesSent).toBeGreaterThan(0);
  });

  it("know whose credential came even when it has expired", async () => {
    const upstream = await start();
    const headers = oauthHeaders(upstream.issueTokens({ account: "grace" }).accessToken);
    upstream.expireAccessTokens();
    expect((await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers, body: JSON.stringify(hello) })).status).toBe(401);
    expect(upstream.requests[0]?.account).toBe("grace");
  });

  it("keep the body up to a cap and count the rest", async () => {
    const upstream = await start({ keepBodyBytes: 10, keepRequests: 2 });
    for (let count = 0; count < 3; count += 1) await (await ask(upstream, { system: "x".repeat(50_000) })).text();
    expect(upstream.requests).toHaveLength(2);
    expect(upstream.requestsTotal()).toBe(3);
    expect(upstream.requests[1]?.body).toHaveLength(10);
    expect(upstream.requests[1]?.bodyLength).toBeGreaterThan(50_000);
  });

  it("say at which byte the client left, and free the stream at once", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "silence", afterBytes: 300 } });
    const leaving = new AbortController();
    const response = await fetch(`${upstream.baseUrl}/v1/messages`, {
      method: "POST",
      headers: oauthHeaders(upstream.issueTokens().accessToken),
      body: JSON.stringify({ ...hello, stream: true }),
      signal: leaving.signal,
    });
    await response.body?.getReader().read();
    await upstream.waitFor(({ requests }) => requests[0]?.bytesSent === 300);
    leaving.abort();
    await upstream.waitFor(({ openStreams }) => openStreams() === 0);
    expect(upstream.requests[0]).toMatchObject({ aborted: true, leftAtByte: 300, finished: true });
  });

  it("say that the client left in the middle of its own body", async () => {
    const upstream = await start();
    const seen = wire(upstream, "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
    await upstream.waitFor(({ requests }) => requests.length === 1);
    seen.socket.destroy();
    await upstream.waitFor(({ requests }) => requests[0]?.finished === true);
    expect(upstream.requests[0]).toMatchObject({ bodyComplete: false, aborted: true, status: null, leftAtByte: 0 });
  });

  it("count connections apart from requests", async () => {
    const upstream = await start();
    const seen = wire(upstream, rawAsk(upstream));
    await seen.until(/end_turn/);
    seen.socket.write(rawAsk(upstream));
    await upstream.waitFor(({ requestsTotal }) => requestsTotal() === 2);
    expect([upstream.connectionsAccepted(), upstream.requests.map(({ connection }) => connection)]).toEqual([1, [1, 1]]);
  });
});

describe("waitFor", () => {
  it("rejects after its deadline and names the predicate", async () => {
    const upstream = await start();
    await expect(upstream.waitFor(({ requestsTotal }) => requestsTotal() === 9, 20)).rejects.toThrow(/20 ms.*requestsTotal/);
  });

  it("gives a predicate's own failure to the one who waits, and the request goes on", async () => {
    const upstream = await start();
    const waiting = upstream.waitFor(({ requestsTotal }) => {
      if (requestsTotal() > 0) throw new Error("wrong assumption");
      return false;
    });
    const [outcome, response] = await Promise.all([waiting.catch((error: Error) => error.message), ask(upstream)]);
    expect([outcome, response.status]).toEqual(["wrong assumption", 200]);
  });
});

describe("scripts", () => {
  it("serve the first rule that fits, as often as it says, then the next", async () => {
    const upstream = await start();
    const twice = upstream.script({ times: 2, fault: { kind: "status", status: 500 } });
    upstream.script({ fault: { kind: "overloaded" } });
    const statuses = [];
    for (let count = 0; count < 4; count += 1) statuses.push((await ask(upstream)).status);
    expect([statuses, twice.used()]).toEqual([[500, 500, 529, 200], 2]);
  });

  it("match by account, method, path and header, and can be taken back", async () => {
    const upstream = await start();
    const fault = { kind: "status", status: 418 } as const;
    upstream.script({ match: { account: "grace" }, fault });
    upstream.script({ match: { method: "PUT" }, fault });
    upstream.script({ match: { path: /^\/v1\/models/ }, fault });
    upstream.script({ match: { headers: { "x-mark": "1" } }, fault });
    const all = upstream.script({ match: { path: "/v1/messages" }, times: Number.POSITIVE_INFINITY, fault: { kind: "status", status: 500 } });
    expect((await ask(upstream, {}, { "x-mark": "2" })).status).toBe(500);
    expect((await ask(upstream, {}, { "x-mark": "1" })).status).toBe(418);
    all.remove();
    expect((await ask(upstream)).status).toBe(200);
    expect((await ask(upstream, {}, { authorization: `Bearer ${upstream.issueTokens({ account: "grace" }).accessToken.reveal()}` })).status).toBe(418);
    expect((await fetch(`${upstream.baseUrl}/v1/models`)).status).toBe(418);
    upstream.clearScript();
    expect((await fetch(`${upstream.baseUrl}/v1/messages`, { method: "PUT" })).status).toBe(405);
  });

  it("that make no sense for a request are confessed with 500", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "headers", headers: [["x-bad", "a\nb"]] } });
    const response = await ask(upstream);
    expect([response.status, await response.text()]).toMatchObject([500, expect.stringContaining("The simulated upstream failed")]);
  });
});

describe("the server", () => {
  it("closes idle connections without having told when", async () => {
    const upstream = await start({ keepAliveMs: 30 });
    const seen = wire(upstream, rawAsk(upstream));
    expect(await seen.ended).toBe("fin");
    expect(seen.text().toLowerCase()).not.toContain("keep-alive: timeout");
  });

  it("leaves no socket and frees its port, whatever was open", async () => {
    const upstream = await start();
    upstream.script({ times: 9, fault: { kind: "never" } });
    const open = [wire(upstream, rawAsk(upstream)), wire(upstream, rawAsk(upstream)), wire(upstream, "")];
    await upstream.waitFor(({ openRequests, openConnections }) => openRequests() === 2 && openConnections() === 3);
    await upstream.close();
    await Promise.all(open.map(({ ended }) => ended));
    expect([upstream.openConnections(), upstream.openRequests()]).toEqual([0, 0]);
    const refused = connect(Number(new URL(upstream.baseUrl).port), "127.0.0.1");
    expect(await new Promise((resolve) => refused.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)))).toBe("ECONNREFUSED");
  });

  it("says which port is taken", async () => {
    const upstream = await start();
    await expect(start({ port: Number(new URL(upstream.baseUrl).port) })).rejects.toMatchObject({ code: "port-taken" });
  });

  it("answers without any pause in fast mode", async () => {
    const upstream = await start({ fast: true, chunkDelayMs: 60_000 });
    expect(await (await ask(upstream, { stream: true })).text()).toContain("message_stop");
    expect(upstream.requests[0]).toMatchObject({ bodySha256: null, bodyLength: JSON.stringify({ ...hello, stream: true }).length });
  });

  it("points the program at itself by its settings", async () => {
    const upstream = await start();
    expect(upstream.settings()).toEqual({
      "oauth.authorizeUrl": `${upstream.baseUrl}/oauth/authorize`,
      "oauth.consoleAuthorizeUrl": `${upstream.baseUrl}/console/oauth/authorize`,
      "oauth.tokenUrl": `${upstream.baseUrl}/v1/oauth/token`,
      "oauth.redirectUri": `${upstream.baseUrl}/oauth/code/callback`,
      "upstream.baseUrl": upstream.baseUrl,
    });
  });
});
