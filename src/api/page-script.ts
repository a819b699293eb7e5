// The sign-in page's program in the browser: it sends what a button or a form asks for as JSON, shows the
// sentence that comes back, and takes the page's new content from the server, which alone renders it.
// The token that proves that this page asks is kept per origin (scheme, host and port); the cookie is not. Without the
// token the server shows nothing.

export const script = `
"use strict";
const store = "claude-oauth-proxy csrf";
const byId = (id) => document.getElementById(id);
const say = (text, tone) => { const line = byId("say"); line.textContent = text; line.dataset.tone = tone; };
const read = () => { try { return localStorage.getItem(store); } catch { return window.csrf ?? null; } };
const keep = (token) => { window.csrf = token; try { token === null ? localStorage.removeItem(store) : localStorage.setItem(store, token); } catch {} };

const ask = async (method, path, body, key) => {
  const headers = { "content-type": "application/json" };
  const token = read();
  if (token) headers["x-csrf-token"] = token;
  if (key) headers.authorization = "Bearer " + key;
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body), credentials: "same-origin" });
  const value = await answer.json().catch(() => ({}));
  // Signed in, but not kept yet: the page asks.
  if (answer.status === 409 && value?.error?.confirm) return { message: "" };
  if (!answer.ok) throw new Error(value?.error?.message ?? "The proxy answered " + answer.status + ".");
  return value;
};

const renew = async () => {
  const token = read();
  const answer = await fetch(location.pathname, { credentials: "same-origin", headers: token ? { "x-csrf-token": token } : {} });
  if (!answer.ok) throw new Error("The page could not be loaded again: the proxy answered " + answer.status + ".");
  const text = await answer.text();
  // Without its head: a second style element would be reported as one that may not run here.
  const fresh = new DOMParser().parseFromString(text.slice(text.indexOf("<main>")).split("</main>")[0], "text/html").getElementById("content");
  const typed = byId("code")?.value;
  const focused = document.activeElement?.id;
  byId("content").replaceWith(document.importNode(fresh, true));
  if (typed && byId("code")) byId("code").value = typed;
  if (focused) byId(focused)?.focus();
  follow();
};

const act = async (element, work) => {
  if (element) element.disabled = true;
  say("", "");
  try {
    const done = await work();
    await renew();
    if (done) say(done, "good");
  } catch (error) {
    say(error instanceof TypeError ? "The proxy does not answer. Is it still running?" : error.message, "bad");
  } finally {
    if (element) element.disabled = false;
  }
};

const account = (element) => element.closest("[data-account]")?.dataset.account;
const one = (id) => "/api/accounts/" + encodeURIComponent(id);
const actions = {
  start: (element) => ask("POST", "/auth/device/start", account(element) ? { account_id: account(element) } : {}).then(() => "Open the link, then come back here."),
  cancel: (element) => ask("POST", "/auth/device/cancel", { attempt_id: element.dataset.attempt }).then(() => "Sign-in cancelled."),
  accept: (element) => ask("POST", "/auth/device/submit", { attempt_id: element.dataset.attempt, confirm: element.dataset.confirm }).then((value) => value.message),
  decline: (element) => ask("POST", "/auth/device/cancel", { attempt_id: element.dataset.attempt }).then(() => "Nothing was added; the sign-in is given back."),
  refresh: (element) => ask("POST", "/auth/refresh", { account_id: account(element) }).then(() => "Token refreshed."),
  enable: (element) => ask("PATCH", one(account(element)), { enabled: true }).then(() => "Account enabled."),
  disable: (element) => ask("PATCH", one(account(element)), { enabled: false }).then(() => "Account disabled."),
  remove: (element) => confirm("Sign out " + account(element) + "? Its token is removed from this machine.") ? ask("DELETE", one(account(element)), {}).then(() => "Signed out.") : null,
  lock: () => ask("DELETE", "/auth/device", {}).then(() => { keep(null); return "This browser has forgotten the key."; }),
};
const forms = {
  unlock: (form) => ask("POST", "/auth/device", {}, form.elements.key.value.trim()).then((value) => { keep(value.csrf); form.reset(); return ""; }),
  begin: (form) => actions.start(form),
  submit: (form) => ask("POST", "/auth/device/submit", { code: form.elements.code.value, attempt_id: form.dataset.attempt }).then((value) => { form.reset(); return value.message; }),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) act(button, () => actions[button.dataset.action](button));
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  act(form.querySelector("button"), () => forms[form.dataset.form](form));
});

let following = null;
let soon = 0;
const later = () => { clearTimeout(soon); soon = setTimeout(() => renew().catch(() => {}), 300); };
// Not an EventSource: that cannot send the token.
const readEvents = async (types, signal) => {
  const answer = await fetch("/events", { credentials: "same-origin", headers: { "x-csrf-token": read() }, signal });
  if (!answer.ok) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\\n");
    rest = lines.pop();
    if (lines.some((line) => line.startsWith("event: ") && types.has(line.slice(7)))) later();
  }
};
const follow = () => {
  const { unlocked, follow: types } = byId("content").dataset;
  if (unlocked === "no") { following?.abort(); following = null; return; }
  if (following) return;
  const own = following = new AbortController();
  const again = () => { if (following === own) { following = null; setTimeout(() => renew().catch(() => {}), 3000); } };
  readEvents(new Set(types.split(" ")), own.signal).then(again, again);
};
if (read()) renew().catch(() => {});
`;
