// Commands that record their calls. Secrets are revealed here only to compare them.
import type { CallbackResult, Commands, LoginAttempt, SubmitOutcome } from "../../src/messages/commands.ts";
import type { IdentityQuestion } from "../../src/messages/identity.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { readCallbackQuery } from "../../src/oauth/callback-query.ts";
import { AppError } from "../../src/messages/errors.ts";

export const attempt: LoginAttempt = {
  attemptId: "attempt-1",
  kind: "max",
  authorizeUrl: "https://claude.example/oauth/authorize?code=true&state=state-1&code_challenge=challenge",
  shortUrl: "http://localhost:4001/login/token-00001",
  returns: true,
  states: ["state-1", "state-2"],
  expiresAt: Date.now() + 600_000,
  question: null,
};

/** Where its short link leads. */
export const returningPage = "https://claude.example/oauth/authorize?state=state-2&code_challenge=challenge";

export const question: IdentityQuestion = { kind: "oauth", confirm: "confirm-1", email: "dana@example.com", organization: "Dana's", accountId: "claude-2", replaces: null };

export const tokenExpiry = Date.UTC(2030, 0, 2, 3, 4, 5);

type Added = Extract<EventDraft, { type: "account.added" }>;

/** A healthy sign-in called `max-1`. */
export const added = (fields: Partial<Added> = {}): Added => ({
  type: "account.added",
  accountId: "max-1",
  kind: "oauth",
  label: "Max",
  enabled: true,
  priority: 1,
  expiresAt: Date.now() + 3_600_000,
  renewable: true,
  health: "healthy",
  lastError: null,
  ...fields,
});

const known = (id: string | null): void => {
  if (id === "nobody") throw new AppError({ code: "unknown-account", message: 'There is no account "nobody".', hint: "See `claude-oauth-proxy accounts`." });
};

export const createFakeCommands = (submit: SubmitOutcome = { outcome: "signed-in", accountId: "max-1", expiresAt: tokenExpiry }, callback: CallbackResult = { result: "signed-in" }) => {
  const calls: unknown[][] = [];
  const call = (...parts: unknown[]): void => void calls.push(parts);
  let pending: LoginAttempt | null = null;
  const commands: Commands = {
    canServe: () => false,
    async startLogin(asked) {
      call("startLogin", asked);
      pending = { ...attempt, kind: asked.kind ?? "max" };
      return pending;
    },
    pendingLogin: () => pending,
    async submitCode(pasted, attemptId, accountId) {
      call("submitCode", pasted.reveal(), attemptId, ...(accountId === undefined ? [] : [accountId]));
      if (submit.outcome === "confirm") pending = { ...(pending ?? attempt), question: submit.question };
      return submit;
    },
    openLink({ token, cookie, host }) {
      call("openLink", token, cookie, host);
      if (pending === null || !pending.shortUrl?.endsWith(`/${token}`)) return { result: "unknown", message: "This link is not open." };
      return { result: "open", location: returningPage, setCookie: "sign_in=1; HttpOnly; SameSite=Lax" };
    },
    async answerIdentity({ attemptId, confirm, accept }) {
      call("answerIdentity", attemptId, confirm, accept);
      pending = null;
      return { outcome: "signed-in", accountId: "claude-2", expiresAt: tokenExpiry };
    },
    async completeCallback({ query, cookie }) {
      call("completeCallback", query, ...(cookie === null ? [] : [cookie]));
      const read = readCallbackQuery(query);
      if (read.says === "error") return { result: "failed", message: read.description };
      return read.says === "code" && read.state.reveal() === "state-2" ? callback : { result: "refused", message: "This page belongs to another sign-in attempt." };
    },
    cancelLogin(attemptId) {
      call("cancelLogin", attemptId);
      pending = null;
    },
    async refresh(accountId) {
      known(accountId);
      call("refresh", accountId);
      if (accountId === "dead") return { outcome: "failed", errorCode: "invalid_grant", message: "Refresh token not found or invalid.", needsLogin: true, nextTryAt: null };
      return { outcome: "refreshed", expiresAt: tokenExpiry };
    },
    async addApiKey({ key, ...rest }) {
      call("addApiKey", key.reveal(), rest);
      return { accountId: rest.accountId ?? "key-1" };
    },
    async setEnabled(accountId, enabled) {
      known(accountId);
      call("setEnabled", accountId, enabled);
    },
    async rename(accountId, label) {
      call("rename", accountId, label);
    },
    async setPriority(accountId, priority) {
      call("setPriority", accountId, priority);
    },
    async setEndpoint(accountId, key, value) {
      call("setEndpoint", accountId, key, value);
    },
    async logout(accountId) {
      known(accountId);
      call("logout", accountId);
      return { removed: [accountId ?? "max-1"] };
    },
    async stop(reason) {
      call("stop", reason);
    },
  };
  return { commands, calls };
};
