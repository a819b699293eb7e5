// How long a drawn frame stays true when nothing happens. Seconds are shown only where they matter, so
// an idle screen is drawn once a minute.
import { expiringMs } from "../state/select.ts";
import type { AppState } from "../state/state.ts";
import type { UiState } from "./ui-state.ts";

const second = 1000;
const minute = 60_000;

/** Milliseconds until the next frame is due although no event came. */
export const restMs = (state: AppState, ui: UiState, now: number): number => {
  const ends = [ui.quitUntil, ui.freezeUntil, ui.message?.until ?? null].filter((until) => until !== null).map((until) => Math.max(0, until - now));
  return Math.min(countsSeconds(state, now) ? second : minute, ...ends);
};

const countsSeconds = ({ requests, server, upstream, accounts, login }: AppState, now: number): boolean =>
  requests.inFlight > 0 ||
  server.status === "stopping" ||
  upstream.failingSince !== null ||
  login.step === "exchange" ||
  accounts.some(({ enabled, expiresAt, nextRefreshAt }) => enabled && (isNear(expiresAt, now) || isNear(nextRefreshAt, now)));

const isNear = (at: number | null, now: number): boolean => at !== null && at > now && at - now <= expiringMs + minute;
