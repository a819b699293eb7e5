// What a browser holds after the local key was entered: a signed cookie for a session that is kept here, and beside it
// a token that only our own page can read. Cookies do not know ports, so any other program on this machine that the
// browser visits is sent the cookie: alone it opens nothing.
import { createHmac } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { cookieValue } from "../lib/cookie.ts";
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";

/** A session that was just opened. */
export type OpenedSession = {
  /** The whole `Set-Cookie` value. */
  readonly setCookie: string;
  /** Goes with every request of the page, as `x-csrf-token`. Shown once, never rendered. */
  readonly csrf: string;
  readonly seconds: number;
};

export type Sessions = {
  open(): OpenedSession;
  /** The session id in a `Cookie` header; null when there is none, it is forged, it was closed, or it has expired. */
  find(cookie: string | null): string | null;
  /** True when `token` belongs to that session. */
  csrfFits(sessionId: string, token: string | null): boolean;
  /** Ends the session in a `Cookie` header, if any. Returns the `Set-Cookie` value that makes the browser forget. */
  close(cookie: string | null): string;
  /** Ends every session. */
  closeAll(): void;
};

/** A working day, counted from the key: no request makes it longer. */
const lifetimeSeconds = 12 * 3600;

/** More browsers than this are not kept: the oldest has to show the key again. */
const mostSessions = 64;

/** Sessions live as long as the process: a restart asks for the local key again. */
export const createSessions = ({ random, clock, port }: { readonly random: Random; readonly clock: Pick<Clock, "now">; readonly port: number }): Sessions => {
  const key = random(32);
  const expiries = new Map<string, number>();
  // Two proxies share the browser's cookies for this machine; no other program can guess the name and plant one.
  const name = `claude_oauth_proxy_${port}_${base64url(random(6))}`;
  const attributes = "Path=/; HttpOnly; SameSite=Strict";
  const sign = (text: string): string => base64url(createHmac("sha256", key).update(text).digest());
  const csrfOf = (sessionId: string): string => sign(`csrf ${sessionId}`);

  const find = (cookie: string | null): string | null => {
    const [sessionId = "", signature = "", ...more] = (cookieValue(cookie, name) ?? "").split(".");
    if (more.length > 0 || !sameText(signature, sign(`session ${sessionId}`))) return null;
    const expiresAt = expiries.get(sessionId);
    if (expiresAt !== undefined && expiresAt > clock.now()) return sessionId;
    expiries.delete(sessionId);
    return null;
  };

  return {
    open() {
      const oldest = expiries.size >= mostSessions ? expiries.keys().next().value : undefined;
      if (oldest !== undefined) expiries.delete(oldest);
      const sessionId = base64url(random(16));
      expiries.set(sessionId, clock.now() + lifetimeSeconds * 1000);
      const setCookie = `${name}=${sessionId}.${sign(`session ${sessionId}`)}; Max-Age=${lifetimeSeconds}; ${attributes}`;
      return { setCookie, csrf: csrfOf(sessionId), seconds: lifetimeSeconds };
    },
    find,
    csrfFits: (sessionId, token) => token !== null && sameText(token, csrfOf(sessionId)),
    close(cookie) {
      const sessionId = find(cookie);
      if (sessionId !== null) expiries.delete(sessionId);
      return `${name}=; Max-Age=0; ${attributes}`;
    },
    closeAll: () => expiries.clear(),
  };
};
