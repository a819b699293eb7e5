// The way out through a real forward proxy that speaks TLS itself: Squid, with a certificate of a private
// authority, before an upstream whose certificate is of the same or of another one.
import { createServer } from "node:https";
import { createServer as createSilence } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createUpstream } from "../../src/proxy/upstream.ts";
import { createAuthority } from "../demo/certificate.ts";
import type { Certificate } from "../demo/certificate.ts";
import { hasSquid, startSquid } from "../helpers/squid.ts";
import type { Squid } from "../helpers/squid.ts";
import { openHarness } from "./harness.ts";
import type { HarnessOptions } from "./harness.ts";
import { isWhole, openRawClient, post } from "./raw-client.ts";

const authority = createAuthority("a company");
const stranger = createAuthority("a stranger");
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const listen = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((closed) => server.close(closed));
  });
  return (server.address() as AddressInfo).port;
};

type Target = { readonly port: number; readonly heads: readonly string[] };

/** An https upstream that only the proxy knows by the name in its certificate. */
const openTarget = async (certificate: Certificate = authority.issue("upstream.example")): Promise<Target> => {
  const heads: string[] = [];
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    heads.push(`${request.method} ${request.url} ${request.rawHeaders.join(" ")}`.toLowerCase());
    request.resume();
    // Squid notes a tunnel when it ends.
    response.setHeader("connection", "close").end("behind the proxy");
  });
  server.on("tlsClientError", () => {});
  return { port: await listen(server), heads };
};

/** The answer of one request, and what the events say of its failure. */
const ask = async (options: HarnessOptions): Promise<{ readonly text: string; readonly failed: readonly string[] }> => {
  const harness = await openHarness({ ...options, out: { ca: authority.cert, ...options.out }, settings: { retry: { maxRetries: 0, delayMs: 1, statuses: [] } } });
  closing.push(harness.close);
  const client = await openRawClient(harness.port);
  client.send(post());
  const text = await client.until(isWhole);
  return { text, failed: harness.of("attempt.failed").map(({ message }) => message) };
};

describe.skipIf(!hasSquid)("a forward proxy that speaks TLS (needs Squid)", () => {
  let squid: Squid;
  beforeAll(async () => {
    squid = await startSquid(authority.issue("localhost"));
  });
  afterAll(() => squid.stop());
  const hop = (user = "me:p%40ss@"): string => `https://${user}localhost:${squid.port}`;

  it("one CA file vouches for the proxy and for the upstream; each is told its own credential alone (F16)", async () => {
    const { port, heads } = await openTarget();
    const { text } = await ask({ baseUrl: `https://upstream.example:${port}`, env: { HTTPS_PROXY: hop() } });
    expect(text).toMatch(/^HTTP\/1\.1 200[\s\S]*behind the proxy/);
    expect(heads).toEqual([expect.stringContaining("authorization bearer upstream-token")]);
    expect(heads[0]).not.toContain("proxy-authorization");
    await squid.noted(`200 upstream.example:${port} me Proxy-Authorization:%20Basic%20${Buffer.from("me:p@ss").toString("base64")}`);
    expect(squid.said()).not.toMatch(/upstream-token|bearer/i);
  });

  it("the token endpoint is reached through it too (F16)", async () => {
    const { port, heads } = await openTarget();
    const out = createUpstream({ baseUrl: "https://api.example", connectTimeoutMs: 2000, connections: 1, proxy: hop(), ca: authority.cert }, {});
    closing.push(() => out.close());
    const answer = await out.fetch(`https://upstream.example:${port}/token`, { method: "POST", body: "refresh_token=canary" });
    expect([answer.status, heads.length]).toEqual([200, 1]);
    await squid.noted(`200 upstream.example:${port} me `);
    expect(squid.said()).not.toContain("canary");
  });

  it.each([
    ["wants another password", "https://upstream.example", "me:wrong@", "wants a user name and a password (407)"],
    ["forbids the upstream", "https://forbidden.example", "me:p%40ss@", "refused the tunnel with status 403"],
    ["cannot reach the upstream", "https://upstream.example:1", "me:p%40ss@", "refused the tunnel with status 503"],
  ])("a proxy that %s is named with the variable that chose it (F16)", async (_, baseUrl, user, reason) => {
    const { text, failed } = await ask({ baseUrl, env: { HTTPS_PROXY: hop(user) } });
    const sentence = `The outbound proxy https://localhost:${squid.port} (from HTTPS_PROXY) ${reason}.`;
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(text).toContain(sentence);
    expect(failed).toEqual([sentence]);
  });

  it("a proxy whose authority is not known is told nothing, and named (F16)", async () => {
    const { text, failed } = await ask({ baseUrl: "https://upstream.example:4433", env: { HTTPS_PROXY: hop() }, out: { ca: stranger.cert } });
    const sentence = `The certificate of the outbound proxy https://localhost:${squid.port} (from HTTPS_PROXY) is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE); nothing was sent.`;
    expect(text).toMatch(/^HTTP\/1\.1 502[\s\S]*upstream\.caFile/);
    expect(text).toContain(sentence);
    expect(failed).toEqual([sentence]);
    // As a whole target: some number in the log may well hold these digits.
    expect(squid.said()).not.toMatch(/upstream\.example:4433\b/);
  });

  it.each(["upstream.example", "127.0.0.1"])("the certificate of a proxy has to be for the proxy's own name, not for %s (F16)", async (name) => {
    const posing = await startSquid(authority.issue(name));
    const { failed } = await ask({ baseUrl: "https://upstream.example", out: { proxy: `https://localhost:${posing.port}` } });
    expect(failed).toEqual([`The certificate of the outbound proxy https://localhost:${posing.port} (from upstream.proxy) is not trusted (ERR_TLS_CERT_ALTNAME_INVALID); nothing was sent.`]);
  });

  it("a proxy named by its address is checked by that (F16)", async () => {
    const { port } = await openTarget();
    const byAddress = await startSquid(authority.issue("127.0.0.1"));
    const { text } = await ask({ baseUrl: `https://upstream.example:${port}`, env: { HTTPS_PROXY: `https://me:p%40ss@127.0.0.1:${byAddress.port}` } });
    expect(text).toMatch(/^HTTP\/1\.1 200/);
  });

  it.each([
    ["authority is not known", () => stranger.issue("upstream.example"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["name is another", () => authority.issue("other.example"), "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("an upstream behind the proxy whose %s gets nothing, and the proxy is named as a possible cause (F16)", async (_, issue, reason) => {
    const { port, heads } = await openTarget(issue());
    const { text, failed } = await ask({ baseUrl: `https://upstream.example:${port}`, env: { HTTPS_PROXY: hop() } });
    const through = `the outbound proxy https://localhost:${squid.port} (from HTTPS_PROXY)`;
    const sentence = `The certificate of https://upstream.example:${port}, reached through ${through}, is not trusted (${reason}); nothing was sent.`;
    expect(text).toMatch(/^HTTP\/1\.1 502[\s\S]*upstream\.caFile/);
    expect(text).toContain(sentence);
    expect([failed, heads]).toEqual([[sentence], []]);
    // Noted at its end: the tunnel is not left open.
    await squid.noted(`200 upstream.example:${port} me `);
  });
});

describe("a forward proxy that is not there", () => {
  it.each([
    ["by name", "https://proxy.invalid:3128", /could not be reached: (?:ENOTFOUND|EAI_AGAIN)\.$/],
    ["by port", "https://127.0.0.1:1", /could not be reached: ECONNREFUSED\.$/],
  ])("%s: named with the variable that chose it (F16)", async (_, proxy, reason) => {
    const { text, failed } = await ask({ baseUrl: "https://upstream.example", env: { HTTPS_PROXY: proxy } });
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(text).toContain(failed[0]);
    expect(failed).toEqual([expect.stringMatching(reason)]);
    expect(failed[0]).toContain(`The outbound proxy ${proxy} (from HTTPS_PROXY)`);
  });

  it("in silence: a 504, named with the variable that chose it (F16)", async () => {
    const proxy = `https://127.0.0.1:${await listen(createSilence())}`;
    const { text, failed } = await ask({ baseUrl: "https://upstream.example", env: { https_proxy: proxy }, out: { connectTimeoutMs: 50 } });
    expect(text).toMatch(/^HTTP\/1\.1 504/);
    expect(failed).toEqual([`The outbound proxy ${proxy} (from https_proxy) could not be reached: ETIMEDOUT.`]);
  });
});
