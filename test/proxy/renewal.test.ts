// A 401 from upstream: one newer token, one replay, and otherwise the upstream's own words.
import { describe, expect, it } from "vitest";

import type { CredentialOutcome, Credentials } from "../../src/accounts/credentials.ts";
import { aCredential, steadyCredentials } from "./harness.ts";
import { bodyOf, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply, streamHead } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

const expired = '{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired."}}';
const refusesOld: RawAnswer = ({ socket, head }) => socket.write(head.includes("Bearer new") ? reply("200 OK", "fine") : reply("401 Unauthorized", expired, ["x-hint: from upstream"]));

type Renewing = Credentials & { renewals: number; readonly observed: number[] };

const renewing = (renew: () => ReturnType<Credentials["renew"]>): Renewing => {
  const credentials: Renewing = {
    renewals: 0,
    observed: [],
    acquire: () => ({ ok: true, credential: aCredential("old") }),
    renew() {
      credentials.renewals += 1;
      return renew();
    },
    elsewhere: () => null,
    observe: (_, { status }) => void credentials.observed.push(status),
  };
  return credentials;
};

const newer = async () => ({ ok: true, credential: aCredential("new") }) as const;
const none = async () => ({ ok: false, code: "sign-in-needed", message: "nothing newer", hint: "", retryAfterSeconds: null }) as const;

describe("after a 401", () => {
  it("the token is refreshed once and the request sent again with the same bytes (A8)", async () => {
    const credentials = renewing(newer);
    const { client, harness, upstream } = await open(refusesOld, { credentials });
    client.send(post('{"model":"claude-x","n":1}'));
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(['{"model":"claude-x","n":1}', '{"model":"claude-x","n":1}']);
    expect(credentials).toMatchObject({ renewals: 1, observed: [401, 200] });
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", attempts: 2 });
    expect(harness.of("attempt.started")[0]).toMatchObject({ modelAsked: "claude-x", accountId: "main" });
    expect(harness.of("request.assigned")).toHaveLength(1);
  });

  it("a second 401 goes through unchanged, without another refresh (A8)", async () => {
    const credentials = renewing(async () => ({ ok: true, credential: aCredential("also old") }) as const);
    const { client, harness, upstream } = await open(refusesOld, { credentials });
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 401[\s\S]*x-hint: from upstream/);
    expect(bodyOf(client.received()).toString()).toBe(expired);
    expect(credentials.renewals).toBe(1);
    expect(upstream.requests).toHaveLength(2);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "upstream-error", blame: "credential", message: "OAuth token has expired." });
  });

  it.each([
    ["there is no newer token", none],
    ["the refresh throws", () => Promise.reject(new Error("disk"))],
  ])("when %s the 401 goes through unchanged", async (_, renew) => {
    const { client, upstream } = await open(refusesOld, { credentials: renewing(renew) });
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 401/);
    expect(bodyOf(client.received()).toString()).toBe(expired);
    expect(upstream.requests).toHaveLength(1);
  });

  it("a 401 whose connection is closed while the refresh runs still goes through whole", async () => {
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const credentials = renewing(() => {
      asked.resolve();
      return gate.promise.then(none);
    });
    const { client, upstream } = await open(({ socket }) => socket.end(reply("401 Unauthorized", expired, ["connection: close"])), { credentials });
    client.send(post());
    await asked.promise;
    upstream.requests[0]?.socket.destroy();
    gate.resolve();
    await client.until(isWhole);
    expect(bodyOf(client.received()).toString()).toBe(expired);
  });

  it("a 401 whose connection breaks in the middle while the refresh runs is broken off for the client too", async () => {
    const gate = Promise.withResolvers<CredentialOutcome>();
    const { client, harness, upstream } = await open(({ socket }) => socket.write("HTTP/1.1 401 Unauthorized\r\ncontent-length: 9\r\n\r\nexp"), {
      credentials: { ...steadyCredentials(), renew: () => gate.promise },
    });
    client.send(post());
    await upstream.until((up) => up.requests.length === 1);
    upstream.requests[0]?.socket.end();
    await upstream.until((up) => up.open() === 0);
    gate.resolve(await none());
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1\.1 401[\s\S]*exp$/);
    expect((await harness.finished())[0]).toMatchObject({ errorCode: "upstream-broken" });
  });

  it("a 403 refreshes nothing (A9)", async () => {
    const credentials = renewing(newer);
    const { client } = await open(({ socket }) => socket.write(reply("403 Forbidden", "no")), { credentials });
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 403/);
    expect(credentials.renewals).toBe(0);
  });

  it("a body too large to keep is not sent again: its 401 goes through", async () => {
    const credentials = renewing(newer);
    const { client, upstream } = await open(refusesOld, { credentials });
    client.send(post(Buffer.alloc(5 * 1024 * 1024, "b")));
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 401/);
    expect(credentials.renewals).toBe(0);
    expect(upstream.requests).toHaveLength(1);
  });

  it("a streamed body within the limit is sent again from its first byte", async () => {
    const { client, upstream } = await open(refusesOld, { credentials: renewing(newer) });
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send(Buffer.concat([chunk(Buffer.alloc(900_000, "1")), chunk(Buffer.alloc(900_000, "2")), Buffer.from(lastChunk)]));
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
    const [first, second] = upstream.requests.map(({ body }) => body);
    expect(second?.length).toBe(1_800_000);
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  });

  it("a client that leaves during the refresh ends the request", async () => {
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const credentials = renewing(() => {
      asked.resolve();
      return late.promise.then(newer);
    });
    const { client, harness, upstream } = await open(refusesOld, { credentials });
    client.send(post());
    await asked.promise;
    client.socket.destroy();
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left" });
    late.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(upstream.requests).toHaveLength(1);
  });

  it("a stream that is open while another request refreshes is not touched (A10)", async () => {
    const { client, harness, upstream } = await open(
      ({ socket, body, head }) => {
        if (body.toString() === "stream") socket.write(streamHead + chunk("data: 1\n\n").toString());
        else refusesOld({ socket, body, head }, upstream);
      },
      { credentials: renewing(newer) },
    );
    client.send(post("stream"));
    await client.until((text) => text.includes("data: 1"));
    const second = await openRawClient(harness.port);
    second.send(post("other"));
    expect(await second.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
    upstream.requests[0]?.socket.write(Buffer.concat([chunk("data: 2\n\n"), Buffer.from(lastChunk)]));
    await client.until(isWhole);
    expect(bodyOf(client.received()).toString()).toBe("data: 1\n\ndata: 2\n\n");
  });
});

describe("choosing the account", () => {
  it("without any usable credential the answer is our 503, with the time to wait", async () => {
    const credentials: Credentials = {
      ...steadyCredentials(),
      acquire: () => ({ ok: false, code: "sign-in-needed", message: "No account can serve.", hint: "Nothing to do.", retryAfterSeconds: 30 }),
    };
    const { client, harness, upstream } = await open(() => {}, { credentials });
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 503[\s\S]*retry-after: 30[\s\S]*sign-in-needed/);
    expect((await harness.finished())[0]).toMatchObject({ status: 503, blame: "credential", attempts: 0 });
    expect(upstream.connections()).toBe(0);
  });

  it("a client that leaves while a credential is awaited ends the request at once", async () => {
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<CredentialOutcome>();
    const credentials: Credentials = {
      ...steadyCredentials(),
      acquire: () => {
        asked.resolve();
        return late.promise;
      },
    };
    const { client, harness } = await open(() => {}, { credentials });
    client.send(post());
    await asked.promise;
    client.socket.destroy();
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left", attempts: 0 });
    late.resolve({ ok: true, credential: aCredential() });
    await late.promise;
  });

  it("a fault while choosing is our 500 and hits this request alone", async () => {
    const credentials: Credentials = { ...steadyCredentials(), acquire: () => Promise.reject(new Error("secret detail")) };
    const { client, harness } = await open(() => {}, { credentials });
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 500/);
    expect(text).not.toContain("secret detail");
    expect((await harness.finished())[0]).toMatchObject({ blame: "proxy", errorCode: "internal" });
  });

  it("an API key goes out as x-api-key, without the OAuth capability", async () => {
    const { client, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "x")), { credentials: steadyCredentials(aCredential("sk-key", "api_key")) });
    client.send(post());
    await client.until(isWhole);
    expect(upstream.requests[0]?.head).toMatch(/x-api-key: sk-key/);
    expect(upstream.requests[0]?.head).not.toMatch(/authorization|oauth-2025/i);
  });
});
