import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createUpstream } from "../../src/demo/upstream.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createPost } from "../../src/oauth/post.ts";
import { selfSigned } from "../demo/certificate.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { postDeps } from "./simulated.ts";

const post = createPost(postDeps);
const request = { headers: { "content-type": "application/json" }, body: "{}" };

describe("one call of the authorization server", () => {
  it("was certainly not executed when nobody listens there", async () => {
    const port = await reservePort();
    expect(await post({ ...request, url: `http://127.0.0.1:${port}/t` })).toEqual({
      sent: "no", code: "ECONNREFUSED", message: `127.0.0.1:${port} refused the connection (ECONNREFUSED).`,
    });
  });

  it("was certainly not executed when the certificate is not trusted", async () => {
    const tls = selfSigned();
    const upstream = await createUpstream({ clock: postDeps.clock, random: systemRandom, tls });
    const posted = await post({ ...request, url: `${upstream.baseUrl}/v1/oauth/token` });
    expect(posted).toMatchObject({ sent: "no", code: expect.stringMatching(/CERT/) });
    expect(upstream.requestsTotal()).toBe(0);
    await upstream.close();
  });

  it("was certainly not executed when a TLS handshake is hung up", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await post({ ...request, url: `https://127.0.0.1:${port}/t` })).toMatchObject({ sent: "no" });
    server.close();
  });

  it.each(["http://token.example/t", "http://localhost.evil.example/t", "ftp://127.0.0.1/t", "not a url", "file:///etc/passwd"])("never goes to %s", async (url) => {
    const never = createPost({ ...postDeps, fetch: () => Promise.reject(new Error("was called")) });
    expect(await never({ ...request, url })).toMatchObject({ sent: "no", code: "insecure-url" });
  });

  it("does not follow a redirect", async () => {
    const asked: string[] = [];
    const answering = createPost({ ...postDeps, fetch: async (url, init) => {
      asked.push(`${String(url)} ${init?.redirect}`);
      return new Response(null, { status: 307, headers: { location: "https://evil.example/" } });
    } });
    expect(await answering({ ...request, url: "https://token.example/t" })).toMatchObject({ sent: "answered", status: 307 });
    expect(asked).toEqual(["https://token.example/t manual"]);
  });
});
