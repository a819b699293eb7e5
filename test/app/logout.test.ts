import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { startApp, type RunningApp } from "../helpers/running-app.ts";

const post = ({ listening, key }: RunningApp, path: string, body: unknown): Promise<Response> =>
  fetch(listening.url + path, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify(body) });

describe("signing out over HTTP", () => {
  it("without a name never costs several accounts their sign-in by surprise", async () => {
    const running = await startApp();
    await running.signIn();
    await running.app.commands.addApiKey({ key: secret("sk-ant-api03-second-account-of-this-test") });
    const refused = await post(running, "/auth/logout", {});
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("claude, api-key");
    expect(running.app.store.snapshot().accounts).toHaveLength(2);
    const all = await post(running, "/auth/logout", { all: true });
    expect(await all.json()).toMatchObject({ removed: ["claude", "api-key"] });
  });

  it("revokes at the server, and removes the account even when that fails", async () => {
    const running = await startApp();
    await running.signIn();
    running.upstream.script({ match: { path: "/v1/oauth/token/revoke" }, fault: { kind: "status", status: 500 } });
    expect((await post(running, "/auth/logout", {})).status).toBe(200);
    expect(running.app.store.snapshot().accounts).toEqual([]);
    expect(await running.event("notice", ({ code }) => code === "not-revoked")).toMatchObject({ level: "warning" });
    expect(running.upstream.requests.map(({ target }) => target)).toContain("/v1/oauth/token/revoke");
  });
});
