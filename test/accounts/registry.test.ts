import { describe, expect, it } from "vitest";
import { createRegistry, createReload } from "../../src/accounts/registry.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { accountsOf, anAccount, hour, minute, noon } from "./an-account.ts";

const createStory = (...accounts: ReturnType<typeof anAccount>[]) => {
  const clock = createFakeClock();
  const events: EventDraft[] = [];
  const registry = createRegistry({ clock, publish: (event) => void events.push(event) });
  registry.replaceAll(accountsOf(...accounts));
  events.length = 0;
  return { clock, events, registry };
};

const limited = { status: 429, headers: { "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": String(noon / 1000 + 600) } };

const using = (utilization: string) => ({ status: 200, headers: { "anthropic-ratelimit-unified-5h-utilization": utilization } });

describe("what the registry says of an account", () => {
  it("no event carries an e-mail address or a control character, whatever the label and the error hold", () => {
    const { events, registry } = createStory();
    registry.put(anAccount({ label: "dana@example.com's Organization\u001b[2J", lastError: "http-403: dana.o'neil+x@sub.example.com is blocked" }));
    expect(JSON.stringify(events)).not.toMatch(/example|@sub|\\u001b/);
    expect(events).toMatchObject([{ type: "account.added", label: "d…@…'s Organization·[2J", lastError: "http-403: d…@… is blocked" }]);
  });

  it("a copy that was read out does not change what is held", () => {
    const { registry } = createStory(anAccount());
    (registry.list() as unknown[]).length = 0;
    expect(registry.list()).toHaveLength(1);
  });

  it("the record and its health follow a replaced file, and nothing is said when nothing changed", () => {
    const { events, registry } = createStory(anAccount());
    registry.replaceAll(accountsOf(anAccount()));
    expect(events).toEqual([]);
    registry.replaceAll(accountsOf(anAccount({ enabled: false })), "by hand");
    registry.replaceAll(accountsOf(anAccount({ priority: 3 })), "by hand");
    expect(events).toEqual([
      { type: "account.disabled", accountId: "ada", reason: "by hand" },
      { type: "account.enabled", accountId: "ada", reason: "by hand" },
      { type: "account.changed", accountId: "ada", label: "Ada", priority: 3 },
    ]);
    expect(registry.get("ada")?.health).toBe("healthy");
  });

  it("an account that is enabled again is shown with what is wrong with it", () => {
    const { events, registry } = createStory(anAccount({ enabled: false, lastError: "invalid_grant: gone" }), anAccount({ id: "bob", enabled: false }));
    registry.cool("bob", minute, "it rests");
    events.length = 0;
    registry.replaceAll(accountsOf(anAccount({ lastError: "invalid_grant: gone" }), anAccount({ id: "bob" })), "by hand");
    expect(events).toEqual([
      { type: "account.enabled", accountId: "ada", reason: "by hand" },
      { type: "account.needs-login", accountId: "ada", message: "invalid_grant: gone", expiresAt: noon + hour },
      { type: "account.enabled", accountId: "bob", reason: "by hand" },
      { type: "account.cooling", accountId: "bob", until: noon + minute, reason: "it rests", limited: false },
    ]);
  });

  it("a new sign-in ends what was known of the old credential, its cool-down too", () => {
    const { registry } = createStory(anAccount({ lastError: "invalid_grant: gone" }));
    registry.cool("ada", minute, "it rests");
    registry.put(anAccount({ accessToken: secret("access-1") }));
    expect(registry.get("ada")).toMatchObject({ health: "healthy", cooling: null, needsLogin: null });
  });

  it("newer tokens of another process are taken over and said", () => {
    const { events, registry } = createStory(anAccount());
    registry.replaceAll(accountsOf(anAccount({ accessToken: secret("access-x"), expiresAt: noon + 8 * hour })));
    expect(events).toEqual([{ type: "token.adopted", accountId: "ada", reason: "lead", newExpiresAt: noon + 8 * hour, renewable: true, heldBy: null }]);
    expect(registry.get("ada")?.remainingMs).toBe(8 * hour);
  });

  it("tokens that this process has seen replaced are not taken back, everything else of that record is", () => {
    const { events, registry } = createStory(anAccount());
    registry.renewed(anAccount({ accessToken: secret("access-1"), refreshToken: secret("refresh-1") }));
    registry.replaceAll(accountsOf(anAccount({ label: "Old copy" })));
    expect(registry.get("ada")?.account).toMatchObject({ label: "Old copy" });
    expect(registry.get("ada")?.account.accessToken.reveal()).toBe("access-1");
    expect(events.map(({ type }) => type)).toEqual(["account.changed"]);
  });

  it("tokens that were read from the store before their own refresh was reported do not count as replaced", () => {
    const { registry } = createStory(anAccount());
    const next = anAccount({ accessToken: secret("access-1"), refreshToken: secret("refresh-1") });
    registry.replaceAll(accountsOf(next));
    registry.renewed(next);
    expect(registry.isSuperseded("ada", next)).toBe(false);
    expect(registry.isSuperseded("ada", anAccount())).toBe(true);
    registry.renewed(anAccount({ accessToken: secret("access-2") }));
    expect(registry.isSuperseded("ada", anAccount())).toBe(true);
  });

  it("an account whose tokens are in memory only is not removed by a store that lacks it", () => {
    const { registry } = createStory(anAccount());
    registry.markUnsaved("ada", true);
    registry.replaceAll(new Map());
    expect(registry.get("ada")).not.toBeNull();
    registry.markUnsaved("ada", false);
    registry.replaceAll(new Map());
    expect(registry.get("ada")).toBeNull();
  });

  it("a reading of the store that a sign-in overtook is dropped", async () => {
    const { registry } = createStory();
    const reload = createReload({
      load: async () => {
        registry.put(anAccount());
        return new Map();
      },
    }, registry);
    await reload();
    expect(registry.get("ada")).not.toBeNull();
  });

  it("a new token is believed by the monotonic clock alone for half its life, at most a minute", async () => {
    const { clock, registry } = createStory(anAccount());
    registry.renewed(anAccount({ accessToken: secret("access-1"), expiresAt: noon + 30_000 }));
    clock.jump(hour);
    expect(registry.get("ada")).toMatchObject({ isNew: true, remainingMs: 30_000 });
    await clock.advance(15_000);
    expect(registry.get("ada")).toMatchObject({ isNew: false, remainingMs: 30_000 - 15_000 - hour });
  });

  it("a token without an expiry lives until the upstream refuses it", () => {
    const { registry } = createStory(anAccount({ expiresAt: null }));
    expect(registry.get("ada")?.remainingMs).toBeNull();
    registry.tokenRefused("ada");
    expect(registry.get("ada")?.remainingMs).toBe(0);
  });

  it("a token that needs a sign-in and is then refused is said to have ended, once", () => {
    const { events, registry } = createStory(anAccount());
    registry.needsLogin("ada", "invalid_grant: gone");
    registry.tokenRefused("ada");
    registry.tokenRefused("ada");
    expect(events.map((event) => (event.type === "account.needs-login" ? event.expiresAt : event.type))).toEqual([noon + hour, noon]);
  });
});

describe("what the registry learns from answers", () => {
  it("a plan limit lasts until its reset, is said once, and ends with an event", async () => {
    const { clock, events, registry } = createStory(anAccount());
    for (let request = 0; request < 5; request += 1) registry.observe("ada", limited);
    expect(events.filter(({ type }) => type === "account.cooling")).toEqual([
      { type: "account.cooling", accountId: "ada", until: noon + 600_000, reason: "plan limit reached", limited: true },
    ]);
    expect(registry.get("ada")?.health).toBe("limited");
    await clock.advance(10 * minute);
    registry.expire();
    registry.expire();
    expect(events.filter(({ type }) => type === "account.healthy")).toHaveLength(1);
    expect(registry.get("ada")?.health).toBe("healthy");
  });

  it("a cool-down is measured by the monotonic clock", () => {
    const { clock, registry } = createStory(anAccount());
    registry.observe("ada", limited);
    clock.jump(hour);
    expect(registry.get("ada")?.health).toBe("limited");
  });

  it("limits are said when they change, and once a minute otherwise", async () => {
    const { clock, events, registry } = createStory(anAccount());
    registry.observe("ada", using("0.5"));
    registry.observe("ada", using("0.5"));
    registry.observe("ada", using("0.51"));
    await clock.advance(minute);
    registry.observe("ada", using("0.51"));
    expect(events.map((event) => (event.type === "limits.updated" ? event.utilization : event.type))).toEqual([0.5, 0.51, 0.51]);
  });

  it("three overloaded answers in a row cool it, a good one in between does not", () => {
    const { events, registry } = createStory(anAccount());
    const answers = [529, 529, 200, 529, 529, 529];
    for (const status of answers) registry.observe("ada", { status, headers: {} });
    expect(events).toMatchObject([{ type: "account.cooling", until: noon + 15_000, limited: false }]);
  });

  it("a server that invents windows does not fill the memory", () => {
    const { events, registry } = createStory(anAccount());
    for (let window = 0; window < 500; window += 1) registry.observe("ada", { status: 200, headers: { [`anthropic-ratelimit-unified-w${window}-status`]: "allowed" } });
    expect(events).toHaveLength(40);
  });

  it("nothing is learnt about an account that is gone", () => {
    const { events, registry } = createStory();
    registry.observe("ada", limited);
    expect(events).toEqual([]);
  });
});
