// The rate-limit headers: unified windows for a subscription, classic counters for a key.
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { ask, hello, keyHeaders, start } from "./kit.ts";

const unified = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("anthropic-ratelimit-")).map(([name, value]) => [name.slice(20), value]));

describe("a subscription", () => {
  it("is told both windows, the binding one, and the organization", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock });
    const response = await ask(upstream);
    const now = clock.now() / 1000;
    expect(unified(response)).toMatchObject({
      "unified-status": "allowed",
      "unified-representative-claim": "seven_day",
      "unified-5h-utilization": "0.18",
      "unified-5h-reset": String(now + 5 * 3600),
      "unified-7d-utilization": "0.41",
      "unified-7d-reset": String(now + 7 * 24 * 3600),
    });
    expect(response.headers.get("anthropic-organization-id")).toMatch(/^a{8}-/);
  });

  it("uses its window up, is warned, and gets a fresh one after five hours", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock });
    const big = { system: "word ".repeat(280_000) };
    expect(unified(await ask(upstream, big))).toMatchObject({ "unified-5h-status": "allowed_warning", "unified-status": "allowed_warning", "unified-representative-claim": "five_hour" });
    clock.jump(5 * 3_600_000);
    expect(unified(await ask(upstream))).toMatchObject({ "unified-5h-utilization": "0", "unified-5h-status": "allowed" });
  });

  it("is refused by the window that a script names, with the seconds to wait", async () => {
    const upstream = await start({ clock: createFakeClock() });
    upstream.script({ fault: { kind: "plan-limit", window: "7d" } });
    const response = await ask(upstream);
    expect(response.status).toBe(429);
    expect(unified(response)).toMatchObject({ "unified-status": "rejected", "unified-7d-status": "rejected", "unified-5h-status": "allowed", "unified-representative-claim": "seven_day" });
    expect(Number(response.headers.get("retry-after"))).toBe(7 * 24 * 3600);
  });

  it("is not mentioned at all when the server is merely busy", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "throttle", retryAfterSeconds: 3 } });
    const response = await ask(upstream);
    expect([response.status, response.headers.get("retry-after"), unified(response)]).toEqual([429, "3", {}]);
  });
});

describe("an API key", () => {
  it("is told the classic counters with RFC 3339 times", async () => {
    const upstream = await start({ clock: createFakeClock() });
    const response = await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers: keyHeaders(upstream.issueApiKey()), body: JSON.stringify(hello) });
    expect(unified(response)).toMatchObject({ "requests-limit": "4000", "requests-remaining": "3999", "requests-reset": "2026-01-02T12:01:00.000Z" });
    expect(unified(response)["unified-status"]).toBeUndefined();
  });
});
