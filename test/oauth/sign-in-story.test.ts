// The whole way over real sockets: link, page, code, tokens; and what a strict server refuses.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callbackAnswer, linkAnswer } from "../../src/api/login.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { createApiKeyMaker } from "../../src/oauth/api-key.ts";
import type { CallbackListener } from "../../src/oauth/callback.ts";
import { listenForCallback } from "../../src/oauth/callback.ts";
import type { LoginFlow } from "../../src/oauth/login-flow.ts";
import { createLoginFlow } from "../../src/oauth/login-flow.ts";
import type { GrantedLogin } from "../../src/oauth/login-attempt.ts";
import { loginLifeMs } from "../../src/oauth/login-attempt.ts";
import { createTokenEndpoint } from "../../src/oauth/token-endpoint.ts";
import { postDeps, settingsFor, startUpstream } from "./simulated.ts";

let upstream: Upstream;
const open: CallbackListener[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  upstream.clearScript();
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});
afterAll(() => upstream.close());

const createStory = async () => {
  const events: EventDraft[] = [];
  const kept: GrantedLogin[] = [];
  const parts: { flow: LoginFlow | null } = { flow: null };
  const flowNow = (): LoginFlow => parts.flow ?? (() => { throw new Error("not yet"); })();
  const pages = { random: systemRandom, accountsPage: null };
  const listener = await listenForCallback({
    clock: postDeps.clock,
    lifeMs: loginLifeMs,
    openLink: (request, token) => linkAnswer(flowNow(), { request, token }, pages),
    complete: (request, query) => callbackAnswer(flowNow(), { request, query }, pages),
  });
  open.push(listener);
  const flow = createLoginFlow({
    clock: postDeps.clock,
    random: systemRandom,
    publish: (event) => void events.push(event),
    settings: settingsFor(upstream),
    loopback: () => ({ origin: listener.origin, returns: true }),
    giveBack: async () => ({ ok: true }),
    tokenEndpoint: createTokenEndpoint(postDeps),
    keep: async (login) => {
      kept.push(login);
      return { accountId: "ada", expiresAt: login.grant.expiresAt };
    },
  });
  parts.flow = flow;
  return { events, kept, listener, flow };
};

describe("signing in at a strict server", () => {
  it("by the code that the hosted page shows", async () => {
    const { flow, kept } = await createStory();
    const code = await upstream.approve(flow.start({}).authorizeUrl);
    expect(code).toMatch(/^[\w-]+#[\w-]{86}$/);
    expect(await flow.submit(secret(code), null)).toMatchObject({ outcome: "signed-in" });
    expect(kept[0]?.grant.account).toMatchObject({ emailAddress: "ada@example.com" });
  });

  it("by the browser on this machine, and the listener is gone afterwards", async () => {
    const { flow, kept, listener } = await createStory();
    const page = await upstream.approve(flow.start({}).shortUrl ?? "");
    expect(page).toContain("Signed in");
    await listener.closed;
    expect(kept).toHaveLength(1);
  });

  it("not, when the person says no (A23)", async () => {
    const { flow, kept, listener, events } = await createStory();
    expect(await upstream.deny(flow.start({}).shortUrl ?? "")).toContain("The sign-in was refused on the page.");
    await listener.closed;
    expect(kept).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: "login.failed", errorCode: "access_denied" });
  });

  it("not twice with the same code", async () => {
    const { flow } = await createStory();
    const code = await upstream.approve(flow.start({}).authorizeUrl);
    upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "answer-lost" } });
    expect(await flow.submit(secret(code), null)).toMatchObject({ outcome: "retry" });
    expect(await flow.submit(secret(code), null)).toMatchObject({ outcome: "failed", message: "The code is used up or too old." });
  });

  it("with the same code after the server was away", async () => {
    const { flow } = await createStory();
    const code = await upstream.approve(flow.start({}).authorizeUrl);
    upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "status", status: 503 } });
    expect(await flow.submit(secret(code), null)).toMatchObject({ outcome: "retry" });
    expect(await flow.submit(secret(code), null)).toMatchObject({ outcome: "signed-in" });
  });

  it("for an API key, by the console's page", async () => {
    const { flow, kept } = await createStory();
    const code = await upstream.approve(flow.start({ kind: "console" }).authorizeUrl);
    await flow.submit(secret(code), null);
    const made = await createApiKeyMaker(postDeps)({ baseUrl: upstream.baseUrl, accessToken: kept[0]?.grant.accessToken ?? secret("") });
    expect(made).toMatchObject({ outcome: "created" });
  });
});
