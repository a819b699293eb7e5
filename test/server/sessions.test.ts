import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { createSessions } from "../../src/server/sessions.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const setUp = () => {
  const clock = createFakeClock();
  return { clock, sessions: createSessions({ random: systemRandom, clock, port: 4001 }) };
};

const sent = (setCookie: string): string => setCookie.split(";")[0] ?? "";

describe("session cookie", () => {
  it("is out of reach of scripts and of other sites, for the whole server, and expires", () => {
    const { setCookie } = setUp().sessions.open();
    expect(setCookie).toMatch(/^claude_oauth_proxy_4001_[\w-]{8}=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  it("opens a session until it expires", () => {
    const { clock, sessions } = setUp();
    const { setCookie, seconds } = sessions.open();
    expect(sessions.find(sent(setCookie))).not.toBeNull();
    expect(sessions.find(`theme=dark; ${sent(setCookie)}; other=1`)).not.toBeNull();
    clock.jump(seconds * 1000);
    expect(sessions.find(sent(setCookie))).toBeNull();
  });

  it("cannot be forged: no changed character is accepted", () => {
    const { sessions } = setUp();
    const cookie = sent(sessions.open().setCookie);
    const value = cookie.indexOf("=") + 1;
    fc.assert(
      fc.property(fc.integer({ min: value, max: cookie.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), (at, sign) => {
        fc.pre(cookie[at] !== sign && !/\s/.test(sign) && sign !== ";");
        expect(sessions.find(cookie.slice(0, at) + sign + cookie.slice(at + 1))).toBeNull();
      }),
    );
  });

  it("survives any Cookie header", () => {
    const { sessions } = setUp();
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => sessions.find(`claude_oauth_proxy_4001=${text}`) === null));
    expect(sessions.find(null)).toBeNull();
  });

  it("of another process, or of another port, is worth nothing", () => {
    const { clock, sessions } = setUp();
    const other = createSessions({ random: systemRandom, clock, port: 4001 });
    expect(other.find(sent(sessions.open().setCookie))).toBeNull();
    const neighbour = createSessions({ random: systemRandom, clock, port: 4002 });
    expect(sessions.find(sent(neighbour.open().setCookie))).toBeNull();
  });

  it("is over when it was closed, alone or with all the others, and the copy of a cookie with it (S5)", () => {
    const { sessions } = setUp();
    const [one, two, three] = [sessions.open(), sessions.open(), sessions.open()].map(({ setCookie }) => sent(setCookie)) as [string, string, string];
    expect(sessions.close(one)).toMatch(/^claude_oauth_proxy_4001_[\w-]{8}=; Max-Age=0;/);
    expect([one, two, three].map((cookie) => sessions.find(cookie) !== null)).toEqual([false, true, true]);
    sessions.closeAll();
    expect([two, three].map((cookie) => sessions.find(cookie))).toEqual([null, null]);
  });

  it("ends twelve hours after the key was shown, however often it is used (S5)", () => {
    const { clock, sessions } = setUp();
    const cookie = sent(sessions.open().setCookie);
    for (let hour = 0; hour < 12; hour += 1) {
      expect(sessions.find(cookie)).not.toBeNull();
      clock.jump(3_600_000);
    }
    expect(sessions.find(cookie)).toBeNull();
  });

  it("of the oldest browser ends when there are too many", () => {
    const { sessions } = setUp();
    const cookies = Array.from({ length: 65 }, () => sent(sessions.open().setCookie));
    expect(cookies.map((cookie) => sessions.find(cookie) !== null).indexOf(true)).toBe(1);
  });

  it("the CSRF token belongs to one session and is not in the cookie", () => {
    const { sessions } = setUp();
    const [one, two] = [sessions.open(), sessions.open()];
    const session = sessions.find(sent(one.setCookie)) ?? "";
    expect(sessions.csrfFits(session, one.csrf)).toBe(true);
    expect(sessions.csrfFits(session, two.csrf)).toBe(false);
    expect(sessions.csrfFits(session, null)).toBe(false);
    expect(sessions.csrfFits(session, "")).toBe(false);
    expect(one.setCookie).not.toContain(one.csrf);
  });
});
