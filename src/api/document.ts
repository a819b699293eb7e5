// The frame of every page of ours: one style, at most one script, nothing loaded from anywhere.
import { Html, html } from "../lib/html.ts";
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";

/** A fresh value for one answer; style and script run only with it (CSP level 3, nonces). */
export const createNonce = (random: Random): string => base64url(random(18));

/** A whole page. `script` is our own text, never a value from outside. */
export const document = ({ title, nonce, body, script }: { readonly title: string; readonly nonce: string; readonly body: Html; readonly script?: string }): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${new Html(style)}</style>
</head>
<body>
${body}
${script === undefined ? null : html`<script nonce="${nonce}">${new Html(script)}</script>`}
</body>
</html>
`.toString();

// In light and in dark. Contrast is at least 4.5 to 1 for text (WCAG 2.2, 1.4.3).
const style = `
:root { color-scheme: light dark; --ink: #1f1e1b; --soft: #5d5a52; --paper: #faf9f5; --card: #fff; --line: #d8d5cb; --accent: #a3482a; --on-accent: #fff; --good: #2c6b3c; --bad: #a32020; --wait: #7a5600; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece9e0; --soft: #aaa69a; --paper: #1c1b19; --card: #262522; --line: #45423b; --accent: #e08a6a; --on-accent: #1c1b19; --good: #7fc492; --bad: #f28b82; --wait: #e0b354; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
a { color: var(--accent); overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem; margin-top: 1.25rem; }
.soft { color: var(--soft); font-size: .9rem; }
.say { min-height: 1.5em; margin: 1rem 0 0; font-weight: 600; }
.say[data-tone="bad"] { color: var(--bad); }
.say[data-tone="good"] { color: var(--good); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
label.check { font-weight: 400; display: flex; gap: .5rem; align-items: flex-start; margin: .5rem 0 1rem; }
label.check input { margin-top: .3rem; }
input[type="text"], input[type="password"] { width: 100%; font: inherit; font-family: ui-monospace, monospace; padding: .5rem .6rem; border: 1px solid var(--soft); border-radius: .4rem; background: var(--paper); color: inherit; }
button { font: inherit; padding: .4rem .9rem; border-radius: .4rem; border: 1px solid var(--soft); background: transparent; color: inherit; cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button:disabled { opacity: .55; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { margin: 0; }
form + p { margin-top: .75rem; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .75rem; }
ul.accounts { list-style: none; margin: 0; padding: 0; }
ul.accounts > li { border-top: 1px solid var(--line); padding: .9rem 0; }
ul.accounts > li:first-child { border-top: 0; padding-top: 0; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.health { margin-left: .5rem; font-weight: 600; }
.health[data-health="healthy"] { color: var(--good); }
.health[data-health="cooling"], .health[data-health="limited"] { color: var(--wait); }
.health[data-health="needs-login"] { color: var(--bad); }
.health[data-health="disabled"] { color: var(--soft); }
ol { padding-left: 1.25rem; }
`;
