// A program that remembers its wishes. Secrets are revealed here only to compare them.
import type { CallbackQuery, Commands, LoginAttempt, SubmitOutcome } from "../../src/messages/commands.ts";
import { AppError } from "../../src/messages/errors.ts";

export const attempt: LoginAttempt = {
  attemptId: "attempt-1",
  kind: "max",
  authorizeUrl: "https://claude.example/oauth/authorize?code=true&state=state-1&code_challenge=challenge",
  browserUrl: "https://claude.example/oauth/authorize?state=state-2&code_challenge=challenge",
  shortUrl: null,
  expiresAt: Date.now() + 600_000,
};

export const tokenExpiry = Date.UTC(2030, 0, 2, 3, 4, 5);

const known = (id: string | null): void => {
  if (id === "nobody") throw new AppError({ code: "unknown-account", message: 'There is no account "nobody".', hint: "See `claude-oauth-proxy accounts`." });
};

export const createFakeCommands = (submit: SubmitOutcome = { outcome: "signed-in", accountId: "max-1", expiresAt: tokenExpiry }) => {
  const wishes: unknown[][] = [];
  const wish = (...parts: unknown[]): void => void wishes.push(parts);
  let pending: LoginAttempt | null = null;
  const commands: Commands = {
    async startLogin(asked) {
      wish("startLogin", asked);
      pending = { ...attempt, kind: asked.kind ?? "max" };
      return pending;
    },
    pendingLogin: () => pending,
    async submitCode(pasted, attemptId, accountId) {
      wish("submitCode", pasted.reveal(), attemptId, ...(accountId === undefined ? [] : [accountId]));
      return submit;
    },
    async completeCallback({ code, ...rest }: CallbackQuery) {
      wish("completeCallback", code?.reveal() ?? null, rest);
      const ok = rest.state === "state-2" && code !== null;
      return { ok, title: ok ? "Signed in" : "Not <signed> in", message: rest.errorDescription ?? "Go back to the terminal." };
    },
    cancelLogin(attemptId) {
      wish("cancelLogin", attemptId);
      pending = null;
    },
    async refresh(accountId) {
      known(accountId);
      wish("refresh", accountId);
      if (accountId === "dead") return { outcome: "failed", errorCode: "invalid_grant", message: "Refresh token not found or invalid.", needsLogin: true, nextTryAt: null };
      return { outcome: "refreshed", expiresAt: tokenExpiry };
    },
    async addApiKey({ key, ...rest }) {
      wish("addApiKey", key.reveal(), rest);
      return { accountId: rest.accountId ?? "key-1" };
    },
    async setEnabled(accountId, enabled) {
      known(accountId);
      wish("setEnabled", accountId, enabled);
    },
    async rename(accountId, label) {
      wish("rename", accountId, label);
    },
    async setPriority(accountId, priority) {
      wish("setPriority", accountId, priority);
    },
    async setEndpoint(accountId, key, value) {
      wish("setEndpoint", accountId, key, value);
    },
    async logout(accountId) {
      known(accountId);
      wish("logout", accountId);
      return { removed: [accountId ?? "max-1"] };
    },
    async stop(reason) {
      wish("stop", reason);
    },
  };
  return { commands, wishes };
};
