// The browser's way back (RFC 6749 section 4.1.2), the pure part: what its query says, and the page it
// gets. Everything on the page is escaped: `error_description` comes from whoever made the link.
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";

export type CallbackQuery =
  | { readonly says: "code"; readonly code: Secret; readonly state: Secret }
  | { readonly says: "error"; readonly error: string; readonly description: string; readonly state: Secret }
  | { readonly says: "nonsense" };

/** What became of it. `retry` leaves the sign-in open, `refused` never touched it, the others ended it. */
export type CallbackResult =
  | { readonly result: "signed-in" }
  | { readonly result: "retry" | "refused" | "failed"; readonly message: string };

export type CallbackPage = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** `query` with or without its `?`. A parameter given twice makes no sense (RFC 6749 section 3.1). */
export const readCallbackQuery = (query: string): CallbackQuery => {
  const fields = new URLSearchParams(query.slice(0, 16_384));
  const once = (name: string): string | null => (fields.getAll(name).length === 1 ? fields.get(name) || null : null);
  const [code, state, error] = [once("code"), once("state"), once("error")];
  if (state === null) return { says: "nonsense" };
  if (error !== null) {
    const description = visibleText(once("error_description") ?? "");
    return { says: "error", error: visibleText(error, 80), description, state: secret(state) };
  }
  return code === null ? { says: "nonsense" } : { says: "code", code: secret(code), state: secret(state) };
};

/** Status, headers and HTML for `result`. Nothing on it loads anything, and the address is not passed on. */
export const callbackPage = (result: CallbackResult): CallbackPage => {
  const { status, title } = looks[result.result];
  const text = result.result === "signed-in" ? "You can close this page and go back to the terminal." : result.message;
  return { status, headers: pageHeaders, body: html(title, text) };
};

const looks = {
  "signed-in": { status: 200, title: "Signed in" },
  retry: { status: 502, title: "Not yet signed in" },
  failed: { status: 400, title: "Not signed in" },
  refused: { status: 400, title: "Not signed in" },
} as const satisfies Record<CallbackResult["result"], { status: number; title: string }>;

const pageHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cache-control": "no-store",
  // The address of this page holds the code.
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  connection: "close",
};

const style = "font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color-scheme:light dark";

const html = (title: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>` +
  `<body style="${style}"><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></body></html>\n`;

/** For text and quoted attributes. */
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
