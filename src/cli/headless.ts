// A proxy without a dashboard: log lines are what standard output was asked for.
import type { App } from "../app/app.ts";
import { isSignInNeeded } from "../state/select.ts";

/** Says how to sign in when nothing can be served yet; the proxy keeps running and picks the account up. */
export const tellHowToSignIn = ({ bus, config, store }: Pick<App, "bus" | "config" | "store">, { url, now }: { readonly url: string; readonly now: number }): void => {
  if (config.mode !== "oauth" || !isSignInNeeded(store.snapshot().accounts, now)) return;
  bus.publish({
    type: "notice",
    level: "warning",
    code: "sign-in-needed",
    message: "no account can serve yet, requests are answered with 503",
    hint: `sign in with \`claude-oauth-proxy login\` or at ${url}/auth/device`,
  });
};
