// What a browser holds after the local key was entered: a signed, expiring cookie, and beside it a token
// that only our own page can read. Cookies do not know ports, so any other program on this machine that
// the browser visits is sent the cookie; alone it must therefore never be able to change anything.
import { createHmac } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";

/** A session that was just opened. */
export type OpenedSession = {
  /** The whole `Set-Cookie` value. */
  readonly setCookie: string;
  /** Goes with every request that changes something, as `x-csrf-token`. Shown once, never rendered. */
  readonly csrf: string;
  readonly seconds: number;
};

export type Sessions = {
  open(): OpenedSession;
  /** The session id in a `Cookie` header, null when there is none, it is forged, or it has expired. */
  find(cookie: string | null): string | null;
  /** True when `token` belongs to that session. */
  csrfFits(sessionId: string, token: string | null): boolean;
  /** The `Set-Cookie` value that makes the browser forget. */
  readonly forget: string;
};

/** A working day. */
const lifetimeSeconds = 12 * 3600;

/** The signing key lives as long as the process: a restart asks for the local key again. */
export const createSessions = (deps: { readonly random: Random; readonly clock: Pick<Clock, "now">; readonly port: number }): Sessions => {
  const key = deps.random(32);
  // Two proxies on one machine share a cookie jar.
  const name = `claude_oauth_proxy_${deps.port}`;
  const attributes = "Path=/; HttpOnly; SameSite=Strict";
  const sign = (text: string): string => base64url(createHmac("sha256", key).update(text).digest());
  const csrfOf = (sessionId: string): string => sign(`csrf ${sessionId}`);

  return {
    open() {
      const sessionId = base64url(deps.random(16));
      const content = `${sessionId}.${deps.clock.now() + lifetimeSeconds * 1000}`;
      const setCookie = `${name}=${content}.${sign(`session ${content}`)}; Max-Age=${lifetimeSeconds}; ${attributes}`;
      return { setCookie, csrf: csrfOf(sessionId), seconds: lifetimeSeconds };
    },
    find(cookie) {
      const [sessionId = "", expiresAt = "", mark = "", ...more] = (valueOf(cookie, name) ?? "").split(".");
      if (more.length > 0 || !sameText(mark, sign(`session ${sessionId}.${expiresAt}`))) return null;
      return Number(expiresAt) > deps.clock.now() ? sessionId : null;
    },
    csrfFits: (sessionId, token) => token !== null && sameText(token, csrfOf(sessionId)),
    forget: `${name}=; Max-Age=0; ${attributes}`,
  };
};

// RFC 6265 section 4.2.1. The first of two with one name wins: it has the longer path.
const valueOf = (cookie: string | null, name: string): string | null => {
  for (const pair of (cookie ?? "").split(";")) {
    const [left = "", ...right] = pair.split("=");
    if (left.trim() === name) return right.join("=").trim();
  }
  return null;
};
