// GET|POST|DELETE /auth/device: the sign-in and accounts page, also through `ssh -L`. GET shows it, POST
// (with the key) opens a browser session, DELETE ends it. The key itself stays in no place of the browser.
import { respondHtml, respondJson } from "../../server/respond.ts";
import type { ApiDeps, Endpoint } from "../call.ts";
import { pageBody } from "./content.ts";
import { createNonce, document } from "./document.ts";
import { script } from "./script.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "random" | "sessions" | "version" | "mode" | "keyRequired">;

/** `show` is open to everybody, and shows nothing but the question for the key until it was entered. */
export const createPage = (deps: Deps): { show: Endpoint; unlock: Endpoint; lock: Endpoint } => ({
  show({ response, access }) {
    const nonce = createNonce(deps.random);
    const body = pageBody({
      unlocked: access !== "none",
      keyRequired: deps.keyRequired,
      mode: deps.mode,
      version: deps.version,
      now: deps.clock.now(),
      pending: deps.commands.pendingLogin(),
      accounts: deps.store.snapshot().accounts,
    });
    respondHtml(response, 200, { nonce, html: document({ title: "claude-oauth-proxy", nonce, body, script }) });
  },
  unlock({ response }) {
    const { setCookie, csrf, seconds } = deps.sessions.open();
    response.addField("set-cookie", setCookie);
    respondJson(response, 200, { success: true, csrf, expires_in: seconds });
  },
  lock({ response }) {
    response.addField("set-cookie", deps.sessions.forget);
    respondJson(response, 200, { success: true });
  },
});
