// The program in a company's network: out only through a forward proxy that speaks TLS, certificates of the
// company's own authority, which is made known in each of the ways there are.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../demo/certificate.ts";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder } from "../helpers/data-folder.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { hasSquid, startSquid } from "../helpers/squid.ts";
import type { Squid } from "../helpers/squid.ts";

const authority = createAuthority("a company");

/** An account, and an upstream that only the proxy can look up. */
const behind = async (expiresAt: number): Promise<{ readonly folder: DataFolder; readonly set: readonly string[]; readonly target: string }> => {
  const folder = await createDataFolder({ tls: authority.issue("upstream.example") });
  storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens(), expiresAt } });
  const target = `upstream.example:${new URL(folder.upstream.baseUrl).port}`;
  return { folder, target, set: [`upstream.baseUrl=https://${target}`, `oauth.tokenUrl=https://${target}/v1/oauth/token`, "retry.maxRetries=0"] };
};

describe.skipIf(!hasSquid)("behind a forward proxy that speaks TLS (needs Squid)", () => {
  let squid: Squid;
  beforeAll(async () => {
    squid = await startSquid(authority.issue("localhost"));
  });
  afterAll(() => squid.stop());

  const through = (): string => `https://me:p%40ss@localhost:${squid.port}`;

  it.each([
    ["upstream.caFile", (file: string) => ({ set: [`upstream.caFile=${file}`], env: {} })],
    ["NODE_EXTRA_CA_CERTS", (file: string) => ({ set: [], env: { NODE_EXTRA_CA_CERTS: file } })],
    ["the system's store", (file: string) => ({ set: [], env: { SSL_CERT_FILE: file } })],
  ])("refreshes and serves with HTTPS_PROXY, the authority known by %s (F16)", async (_, known) => {
    const { folder, set, target } = await behind(Date.now() - 1000);
    const caFile = join(temporaryFolder(), "ca.pem");
    writeFileSync(caFile, authority.cert);
    const way = known(caFile);
    const proxy = await folder.proxy({ set: [...set, ...way.set], env: { HTTPS_PROXY: through(), ...way.env } });
    expect((await proxy.ask()).status).toBe(200);
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
    const { access_token: token = "", refresh_token: refresh } = folder.accounts()["ada"] ?? {};
    expect(folder.upstream.requests.flatMap(({ rawHeaders }) => rawHeaders).join(" ")).not.toMatch(/proxy-authorization/i);
    proxy.kill();
    await proxy.waitForExit();
    await squid.noted(`200 ${target} me `);
    for (const secret of [token, refresh ?? "", folder.key()]) expect(squid.said().includes(secret)).toBe(false);
  });

  it("with an authority nobody made known nothing goes out, and the answer and the events name the proxy and the variable (F16)", async () => {
    const sentence = `The certificate of the outbound proxy https://localhost:${squid.port} (from HTTPS_PROXY) is not trusted`;
    const { folder, set } = await behind(Date.now() + 3_600_000);
    const proxy = await folder.proxy({ set, env: { HTTPS_PROXY: through() } });
    expect(await proxy.ask()).toEqual({ status: 502, text: expect.stringContaining(sentence) });
    expect((await proxy.waitForEvent("attempt.failed")).message).toContain(sentence);
    expect(folder.upstream.requestsTotal()).toBe(0);
    expect(proxy.stdout() + proxy.stderr()).not.toMatch(/p@ss|p%40ss/);
  });

  it("so does the event of a refresh that could not get out (F16)", async () => {
    const { folder, set } = await behind(Date.now() - 1000);
    const proxy = await folder.proxy({ set, env: { HTTPS_PROXY: through() } });
    expect((await proxy.ask()).status).toBe(503);
    expect(await proxy.waitForEvent("token.refresh-failed")).toMatchObject({ message: expect.stringContaining(`https://localhost:${squid.port} (from HTTPS_PROXY) is not trusted`) });
    expect(folder.upstream.tokenCalls().refresh_token).toBe(0);
  });
});
