// The refresh timeline over a restart, through the whole proxy: what was is shown, not told again as news.
import { expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { eventually } from "../helpers/eventually.ts";
import { startApp, temporaryFolder } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";

const restarted = async (first: RunningApp): Promise<RunningApp> => {
  await first.app.commands.stop("restart");
  return startApp({ dir: first.dir, shared: first.upstream });
};

const health = async ({ listening }: RunningApp): Promise<{ readonly status: number; readonly text: string }> => {
  const response = await fetch(`${listening.url}/health`);
  return { status: response.status, text: await response.text() };
};

it("a refresh of yesterday's process is in the picture, in /health and in /api/status of today's", async () => {
  const first = await startApp();
  await first.signIn();
  await first.app.commands.refresh(null);
  const { newExpiresAt, oldExpiresAt } = await first.event("token.refreshed");
  const next = await restarted(first);
  expect(next.events.filter(({ type }) => type.startsWith("token."))).toEqual([]);
  const { refreshes, activity, accounts } = next.app.store.snapshot();
  expect(refreshes).toMatchObject([{ accountId: "claude", outcome: "refreshed", reason: "manual", oldExpiresAt, newExpiresAt }]);
  expect(activity[0]?.text).toMatch(/^before this start \(.+\): claude: token refreshed by hand/);
  expect(accounts[0]).toMatchObject({ lastRefreshReason: "manual", refreshCount: 0 });
  const { text } = await health(next);
  expect(JSON.parse(text)).toMatchObject({ accounts: [{ id: "claude", last_refresh: { outcome: "refreshed", reason: "manual", new_expires_at: new Date(newExpiresAt ?? 0).toISOString() } }] });
  expect(text).not.toMatch(/sk-ant|@/);
  const status = await fetch(`${next.listening.url}/api/status`, { headers: { authorization: `Bearer ${next.key}` } });
  expect(await status.json()).toMatchObject({ refreshes: [{ outcome: "refreshed", reason: "manual" }] });
});

it("a refresh that failed is not tried again before its time by the next process, while the token still serves", async () => {
  const clock = createFakeClock();
  const dir = temporaryFolder();
  const first = await startApp({ clock, dir, upstream: { accessTokenSeconds: 200 } });
  await first.signIn();
  first.upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "status", status: 429, headers: [["retry-after", "120"]] } });
  await clock.advance(30_000);
  const { nextTryAt } = await first.event("token.refresh-failed");
  expect(nextTryAt).toBeGreaterThanOrEqual(clock.now() + 120_000);
  await Promise.all([first.app.commands.stop("restart"), first.app.stopped]);

  const next = await startApp({ clock, dir, shared: first.upstream });
  await clock.advance(60_000);
  expect(first.upstream.tokenCalls().refresh_token).toBe(1);
  const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "x" }] });
  const served = await fetch(`${next.listening.url}/v1/messages`, { method: "POST", body, headers: { authorization: `Bearer ${next.key}` } });
  expect(served.status).toBe(200);
  await served.text();
  await clock.advance(90_000);
  await eventually(() => first.upstream.tokenCalls().refresh_token, (calls) => calls === 2);
  await next.event("token.refreshed");
});

it("no line of the timeline holds a secret, whatever the server answers", async () => {
  const first = await startApp();
  await first.signIn();
  const canary = "sk-ant-ort01-canary";
  first.upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "status", status: 400, body: { error: "invalid_grant", error_description: `token ${canary} of ada@example.com` } } });
  await first.app.commands.refresh(null);
  const next = await restarted(first);
  const shown = JSON.stringify(next.app.store.snapshot()) + (await health(next)).text;
  expect(shown).toContain("invalid_grant");
  expect(shown).not.toContain("example.com");
  expect(shown).not.toContain(secret(canary).reveal());
});
