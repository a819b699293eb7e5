// The same server behind TLS, for clients that must check certificates.
import { request } from "node:https";
import { describe, expect, it } from "vitest";
import type { Upstream } from "../../src/demo/upstream.ts";
import { selfSigned, type Certificate } from "./certificate.ts";
import { hello, keyHeaders, login, start } from "./kit.ts";

const ask = (upstream: Upstream, ca: string | undefined): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { method: "POST", headers: keyHeaders(upstream.issueApiKey()), agent: false, ...(ca === undefined ? {} : { ca }) };
    const outgoing = request(`${upstream.baseUrl}/v1/messages`, options, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve(Buffer.concat(parts).toString());
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code)));
    outgoing.end(JSON.stringify(hello));
  });

const startTls = async (certificate: Certificate): Promise<Upstream> => start({ tls: certificate });

describe("the simulated upstream over TLS", () => {
  it("serves a client that trusts its certificate, and no other", async () => {
    const certificate = selfSigned();
    const upstream = await startTls(certificate);
    expect(upstream.baseUrl).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(await ask(upstream, certificate.cert)).toContain("You said");
    await expect(ask(upstream, undefined)).rejects.toThrow("DEPTH_ZERO_SELF_SIGNED_CERT");
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([1]);
  });

  it("can carry a wrong name or an expired certificate", async () => {
    const named = selfSigned({ names: ["upstream.example"] });
    await expect(ask(await startTls(named), named.cert)).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
    const expired = selfSigned({ until: Date.now() - 1000 });
    await expect(ask(await startTls(expired), expired.cert)).rejects.toThrow("CERT_HAS_EXPIRED");
  });

  it("signs in, resets and closes as over plain TCP", async () => {
    const certificate = selfSigned();
    const upstream = await startTls(certificate);
    const { url, state } = login(upstream);
    expect(await upstream.approve(url)).toContain(`#${state}`);
    upstream.script({ fault: { kind: "refuse" } });
    await expect(ask(upstream, certificate.cert)).rejects.toThrow("ECONNRESET");
    await upstream.close();
    expect(upstream.openConnections()).toBe(0);
  });
});
