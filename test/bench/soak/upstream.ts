// The simulated upstream in a process of its own, misbehaving as the kind of each request says. Access
// tokens live for a minute; now and then all of them end before their time.
import { createUpstream } from "../../../src/demo/upstream.ts";
import { createSystemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { kindHeader, type Kind } from "./kinds.ts";

export type UpstreamOrder = { readonly kinds: readonly Kind[] } | { readonly ask: "streams" };
export type UpstreamHello = { readonly settings: Readonly<Record<string, string>>; readonly accounts: Readonly<Record<string, object>> };
export type UpstreamState = { readonly streams: number; readonly connections: number; readonly requests: number; readonly refreshes: number };

const upstream = await createUpstream({
  clock: createSystemClock(),
  random: systemRandom,
  accessTokenSeconds: 60,
  chunkDelayMs: 1000,
  keepBodyBytes: 0,
  keepRequests: 100,
});

const accountOf = (id: string): object => {
  const { accessToken, refreshToken, expiresAt, scopes } = upstream.issueTokens({ account: id });
  return {
    provider_id: id,
    kind: "oauth",
    label: id,
    access_token: accessToken.reveal(),
    refresh_token: refreshToken?.reveal() ?? null,
    expires_at: new Date(expiresAt ?? 0).toISOString(),
    scopes,
    enabled: true,
    priority: 1,
    created_at: new Date().toISOString(),
  };
};

const tell = (message: UpstreamHello | UpstreamState): void => void process.send?.(message);

process.on("message", (order: UpstreamOrder) => {
  if ("ask" in order) return tell({ streams: upstream.openStreams(), connections: upstream.openConnections(), requests: upstream.requestsTotal(), refreshes: upstream.tokenCalls().refresh_token });
  for (const { name, faults } of order.kinds) {
    if (faults.length > 0) upstream.script({ match: { headers: { [kindHeader]: name } }, times: Number.POSITIVE_INFINITY, fault: faults });
  }
  // A second 401 within a minute of such a refresh would rightly go to the client.
  const revoke = (): void => {
    upstream.expireAccessTokens();
    setTimeout(revoke, 90_000).unref();
  };
  setTimeout(revoke, 30_000).unref();
  tell({ settings: upstream.settings(), accounts: Object.fromEntries(["ada", "grace", "alan"].map((id) => [id, accountOf(id)])) });
  return undefined;
});
process.on("disconnect", () => process.exit(0));
