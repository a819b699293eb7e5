// `http://localhost:PORT/login/TOKEN`: the way into one sign-in for one browser of this machine. Every program here can
// call the port, so the token cannot be guessed, ten wrong ones withdraw it, and the first browser that comes with the
// right one gets a cookie: only that browser may come back (RFC 9700 section 4.7.1: the redirect is bound to the user
// agent that began). Cookies do not know ports, so the cookie alone opens nothing: the way back needs its state too.
import type { Clock } from "../lib/clock.ts";
import { cookieValue } from "../lib/cookie.ts";
import { isLoopback } from "../lib/host.ts";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import { sameText, secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { LinkResult, LinkVisit } from "../messages/commands.ts";

export type ShortLinkDeps = {
  readonly random: Random;
  readonly clock: Pick<Clock, "now">;
  /** `http://localhost:PORT`. */
  readonly origin: string;
  /** Wall milliseconds. */
  readonly expiresAt: number;
  /** The page whose way back leads to `origin`. */
  readonly returningPage: string;
  /** The page that shows the code, for a browser that reaches us under another name or port: the way back would miss us. */
  readonly codePage: string;
  /** Ten wrong tokens have come. */
  readonly onWithdrawn: () => void;
  /** A second browser came with the right token; called once. */
  readonly onContested: () => void;
};

export type ShortLink = {
  /** Null when it was withdrawn. */
  url(): string | null;
  open(visit: LinkVisit): LinkResult;
  /** True for the `Cookie` header of the browser that opened it. */
  isOf(cookie: string | null): boolean;
  isToken(token: string): boolean;
  /** Some browser has opened it. */
  isUsed(): boolean;
  /** Its token, and the value of its cookie. */
  readonly secrets: readonly Secret[];
};

/** 64 bits become 11 characters, so that the link with the usual port fits 40 columns. */
const tokenBytes = 8;

const mostWrong = 10;

export const createShortLink = ({ random, clock, origin, expiresAt, returningPage, codePage, onWithdrawn, onContested }: ShortLinkDeps): ShortLink => {
  const { host: ownHost, port } = new URL(origin);
  const token = secret(base64url(random(tokenBytes)));
  const url = `${origin}/login/${token.reveal()}`;
  // No other program can guess the name and plant one, and two sign-ins do not share one.
  const name = `claude_oauth_proxy_sign_in_${port}_${base64url(random(6))}`;
  const value = base64url(random(32));
  let wrong = 0;
  let used = false;
  let isContested = false;

  const isOf = (cookie: string | null): boolean => used && sameText(cookieValue(cookie, name) ?? "", value);
  const isToken = (tried: string): boolean => sameText(tried, token.reveal());

  return {
    url: () => (wrong < mostWrong ? url : null),
    isOf,
    isToken,
    isUsed: () => used,
    secrets: [token, secret(value)],
    open(visit) {
      if (wrong >= mostWrong) return unknownLink;
      if (!isToken(visit.token)) {
        wrong += 1;
        if (wrong === mostWrong) onWithdrawn();
        return unknownLink;
      }
      const host = visit.host.toLowerCase();
      // The cookie has to be one of the host that the way back leads to.
      if (host !== ownHost && isOtherNameOf(host, port)) return { result: "open", location: url, setCookie: null };
      if (used && !isOf(visit.cookie)) {
        if (!isContested) onContested();
        isContested = true;
        return usedLink;
      }
      used = true;
      const seconds = Math.max(1, Math.ceil((expiresAt - clock.now()) / 1000));
      return { result: "open", location: host === ownHost ? returningPage : codePage, setCookie: `${name}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax` };
    },
  };
};

const isOtherNameOf = (host: string, port: string): boolean => {
  const asked = URL.parse(`http://${host}`);
  return asked !== null && isLoopback(asked.hostname) && asked.port === port;
};

export const unknownLink: LinkResult = { result: "unknown", message: "This sign-in link is not open, or not any more. Start a sign-in again: it shows a new link." };

const usedLink: LinkResult = {
  result: "used",
  message: "Another browser has opened this link already, and it works in one browser only. Go on there, paste the code in the terminal, or start the sign-in again for a new link.",
};
