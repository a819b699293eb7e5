// Is the wall clock plausible? Expiry and TLS depend on it. Nobody is asked for the time: what is known is
// that it cannot be earlier than this program, or than the files it has written. Pure.
import { span } from "./account-checks.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type ClockWish = { readonly now: number; readonly installedAt: number; readonly newestFileAt: number };

/** No release is older. */
const firstRelease = Date.UTC(2026, 0, 1);
/** Network file systems stamp with the server's clock. */
const toleranceMs = 60_000;

const advice = "Set the clock of this machine (NTP): a wrong one breaks TLS and token expiry.";

export const clockCheck = ({ now, installedAt, newestFileAt }: ClockWish): Finding => {
  const shown = new Date(now).toISOString().slice(0, 19).replace("T", " ");
  if (now < firstRelease) return problem("clock", `${shown} UTC is before this program was made`, advice);
  if (now < newestFileAt - toleranceMs) return warning("clock", `${shown} UTC is ${span(newestFileAt - now)} before the newest file of the data folder`, advice);
  if (now < installedAt - toleranceMs) return warning("clock", `${shown} UTC is ${span(installedAt - now)} before this program was installed`, advice);
  return ok("clock", `${shown} UTC, after every file of ours (no server was asked)`);
};
