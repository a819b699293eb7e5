// The frame of every page of ours: one style, at most one script, nothing loaded from anywhere.
import { base64url } from "../../lib/random.ts";
import type { Random } from "../../lib/random.ts";
import { Html, html } from "./html.ts";
import { style } from "./style.ts";

/** A fresh value for one answer; style and script run only with it (CSP level 3, nonces). */
export const createNonce = (random: Random): string => base64url(random(18));

/** `script` is our own text, never a value from outside. */
export const document = (page: { readonly title: string; readonly nonce: string; readonly body: Html; readonly script?: string }): string => {
  const script = page.script === undefined ? null : html`<script nonce="${page.nonce}">${new Html(page.script)}</script>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<style nonce="${page.nonce}">${new Html(style)}</style>
</head>
<body>
${page.body}
${script}
</body>
</html>
`.toString();
};
