// The pages a person sees in the browser. Everything that came from a query is escaped: this page is
// opened by a link that anybody can write.
import type { AuthorizeRequest } from "./authorize-request.ts";
import { people, type SimulatedPerson } from "./people.ts";
import { bytesReply, type Header, type Reply } from "./reply.ts";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? "");

const style = "body{font:16px system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}code{overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1rem}";

const safety: readonly Header[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
];

const page = (status: number, title: string, content: string, headers: readonly Header[] = []): Reply =>
  bytesReply(
    status,
    "text/html; charset=utf-8",
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${style}</style></head>` +
      `<body><h1>${escapeHtml(title)}</h1><p><em>Simulated Anthropic: no real account is involved.</em></p>${content}</body></html>`,
    [...safety, ...headers],
  );

export type Form = { readonly handle: string; readonly csrf: string; readonly action: string };

const choice = (chosen: SimulatedPerson) => ({ id, name, email }: SimulatedPerson): string =>
  `<option value="${escapeHtml(id)}"${id === chosen.id ? " selected" : ""}>${escapeHtml(`${name} <${email}>`)}</option>`;

/** Asks the person; both buttons post back to the address of the page. */
export const consentPage = (request: AuthorizeRequest, chosen: SimulatedPerson, form: Form, cookie: string): Reply =>
  page(
    200,
    "Claude Code would like to connect to your Claude account",
    `<p>Signed in as <strong>${escapeHtml(chosen.name)}</strong> (${escapeHtml(chosen.email)}), ${escapeHtml(chosen.organization.name)}.</p>` +
      `<p>It asks for:</p><ul>${request.scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join("")}</ul>` +
      `<form method="post" action="${escapeHtml(form.action)}">` +
      `<input type="hidden" name="handle" value="${escapeHtml(form.handle)}"><input type="hidden" name="csrf" value="${escapeHtml(form.csrf)}">` +
      `<p><label>Account <select name="person">${people.map(choice(chosen)).join("")}</select></label></p>` +
      `<p><button name="decision" value="authorize">Authorize</button> <button name="decision" value="deny">Deny</button></p></form>`,
    [["set-cookie", cookie]],
  );

/** Shows `code#state` for pasting; the bare line for a reader that is no browser. */
export const codePage = (text: string, html: boolean): Reply =>
  html
    ? page(200, "Authentication code", `<p>Paste this into the program that asked for it:</p><p><code id="code">${escapeHtml(text)}</code></p>`)
    : bytesReply(200, "text/plain; charset=utf-8", `${text}\n`, safety);

export const errorPage = (status: number, message: string, html: boolean): Reply =>
  html
    ? page(status, "Invalid OAuth request", `<p id="error">${escapeHtml(message)}</p>`)
    : bytesReply(status, "text/plain; charset=utf-8", `${message}\n`, safety);
