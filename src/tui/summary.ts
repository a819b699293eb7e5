// The one line that the primary screen keeps after the dashboard has gone.
import { leadingAccount, tokenState } from "../state/select.ts";
import type { AppState } from "../state/state.ts";
import { clockMinute, span } from "../lib/units.ts";

/** `served 1,210 requests in 3h12m, token valid until 21:42, log: FILE`. */
export const summaryLine = (state: AppState, now: number, logFile: string | null): string => {
  const { requests, server, accounts } = state;
  const count = requests.total.toLocaleString("en-US");
  const account = leadingAccount(accounts, now);
  const parts = [
    `served ${count} ${requests.total === 1 ? "request" : "requests"}${server.startedAt === null ? "" : ` in ${span(now - server.startedAt)}`}`,
    account === null ? null : tokenText(tokenState(account, now), account.expiresAt, now),
    logFile === null ? null : `log: ${logFile}`,
  ];
  return `claude-oauth-proxy: ${parts.filter((part) => part !== null).join(", ")}`;
};

const tokenText = (state: ReturnType<typeof tokenState>, expiresAt: number | null, now: number): string | null => {
  if (state === "needs-login") return "sign in again before the next start";
  if (state === "expired") return "token expired";
  return expiresAt === null || state === "disabled" ? null : `token valid until ${clockMinute(expiresAt, now)}`;
};
