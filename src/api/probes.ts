// The small requests with which clients knock: answered here, never forwarded, never counted as traffic.
import { respondEmpty, respondHtml, respondJson, respondText } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document } from "./page/document.ts";
import { html } from "./page/html.ts";

/**
 * `root`: Claude Code sends `HEAD /` first; a person's browser gets a page with the way on.
 * `hello`: `HEAD /api/hello`, the documented warm-up. `swallow`: telemetry of old versions, thrown away.
 */
export const createProbes = ({ version, random }: Pick<ApiDeps, "version" | "random">): { root: Endpoint; hello: Endpoint; swallow: Endpoint } => ({
  root({ request, response }) {
    if (!request.valuesOf("accept").join().includes("text/html")) return respondText(response, 200, `claude-oauth-proxy ${version}\nSign-in page: /auth/device\n`);
    const nonce = createNonce(random);
    const body = html`<main><h1>claude-oauth-proxy</h1><p>Version ${version}. <a href="/auth/device">Sign-in and accounts</a> · <a href="/health">Health</a></p></main>`;
    respondHtml(response, 200, { nonce, html: document({ title: "claude-oauth-proxy", nonce, body }) });
  },
  hello({ response }) {
    respondJson(response, 200, { ok: true });
  },
  swallow({ response }) {
    respondEmpty(response, 204);
  },
});
