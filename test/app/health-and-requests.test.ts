// `/health` says `sign-in-needed` exactly when a request is answered so: the cases of the choice of the account,
// through a whole proxy.
import { describe, expect, it, onTestFinished } from "vitest";
import type { Account } from "../../src/accounts/account.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { noon } from "../accounts/an-account.ts";
import { servingCases } from "../accounts/serving-cases.ts";
import type { ServingCase } from "../accounts/serving-cases.ts";
import { storeGrants } from "../helpers/data-folder.ts";
import { startApp, temporaryFolder } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";

/** `account` in the file's words, with tokens that the simulated server knows and times of today. */
const stored = (upstream: Upstream, { kind, accessToken, refreshToken, expiresAt, enabled, lastError }: Account) => {
  const grant = upstream.issueTokens();
  return {
    grant,
    more: {
      kind,
      access_token: kind === "api_key" ? accessToken.reveal() : grant.accessToken.reveal(),
      refresh_token: refreshToken === null ? null : grant.refreshToken?.reveal(),
      expires_at: expiresAt === null ? null : new Date(Date.now() + expiresAt - noon).toISOString(),
      enabled,
      last_error: lastError,
    },
  };
};

const scripted = (upstream: Upstream, { answer, before }: ServingCase): void => {
  const fault = answer?.outcome === "refused" ? { kind: "status", status: 400, body: { error: "invalid_grant" } } : { kind: "status", status: 500 };
  if (answer !== undefined) upstream.script({ match: { grant: "refresh_token" }, times: 1000, fault: fault as { kind: "status"; status: number } });
  if (before === "401") upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "status", status: 401 } });
  else if (before !== undefined && before !== "refresh") upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "status", status: before.status } });
};

const ask = async ({ listening, key }: RunningApp): Promise<string> => {
  const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "Hello." }] });
  const response = await fetch(`${listening.url}/v1/messages`, { method: "POST", body, headers: { authorization: `Bearer ${key}` } });
  await response.text();
  return `${response.status} ${response.headers.get("x-claude-oauth-proxy-error") ?? "of the upstream"}`;
};

const health = async ({ listening }: RunningApp): Promise<string> => {
  const response = await fetch(`${listening.url}/health`);
  return `${response.status} ${((await response.json()) as { status: string }).status}`;
};

const serving = async (one: ServingCase): Promise<RunningApp> => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const dir = temporaryFolder();
  storeGrants(dir, Object.fromEntries(one.accounts.map((account) => [account.id, stored(upstream, account)])));
  const running = await startApp({ dir, shared: upstream, ...(one.named === undefined ? {} : { accountId: one.named }) });
  scripted(upstream, one);
  if (one.before === "refresh") await running.app.commands.refresh("ada");
  else if (one.before !== undefined) await ask(running);
  return running;
};

describe("/health and a request", () => {
  // A proxy does not start for an account that does not exist.
  it.each(servingCases.filter(({ named }) => named !== "eve"))("$name: both serve is $serves", async (one) => {
    const running = await serving(one);
    const said = await health(running);
    expect(said).toBe(one.serves ? "200 ok" : "503 sign-in-needed");
    expect((await ask(running)) === "503 sign-in-needed").toBe(!one.serves);
    expect(await health(running)).toBe(said);
  });

  it("a proxy that starts in the back-off of an earlier one says so at once", async () => {
    const one = servingCases.find(({ name }) => name === "an ended token whose refresh failed a moment ago") ?? expect.unreachable();
    const before = await serving(one);
    await before.app.commands.stop("restart");
    const after = await startApp({ dir: before.dir, shared: before.upstream });
    expect(await health(after)).toBe("503 sign-in-needed");
    expect(await ask(after)).toBe("503 sign-in-needed");
    const [row] = after.app.store.snapshot().accounts;
    expect(row?.nextRefreshAt).toBeGreaterThan(Date.now());
  });

  it("pass-through needs no account", async () => {
    expect(await health(await startApp({ set: ["mode=pass-through"] }))).toBe("200 ok");
  });
});
