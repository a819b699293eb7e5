// What came of a pasted code and of a refresh, as the endpoints tell it: a success, or an `AppError` with a
// sentence. The five sign-in endpoints of three ancestors share it.
import type { RefreshOutcome, SubmitOutcome } from "../messages/commands.ts";
import { AppError, meanings } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";

export type SignedIn = { readonly accountId: string; readonly expiresAt: number | null };

/** The account of a successful paste. Throws `AppError` for every other outcome. */
export const signedIn = (outcome: SubmitOutcome): SignedIn => {
  switch (outcome.outcome) {
    case "signed-in":
      return outcome;
    case "nothing":
      throw new AppError({ code: "bad-paste", message: "No code was given.", hint: "Paste all of what the page shows, with the # part." });
    case "bad-paste":
      throw new AppError({ code: "bad-paste", message: outcome.message });
    case "retry":
      throw new AppError({ code: "login-failed", message: outcome.message, hint: "The same code may be sent again." });
    case "failed":
      throw new AppError({ code: known(outcome.errorCode) ?? "login-failed", message: outcome.message, hint: "Start a new sign-in." });
  }
};

/** The new expiry. Throws `AppError` when the refresh failed. */
export const refreshed = (outcome: RefreshOutcome): number | null => {
  if (outcome.outcome !== "failed") return outcome.expiresAt;
  const hint = outcome.needsLogin ? "Sign this account in again." : "It is tried again by itself.";
  throw new AppError({ code: "refresh-failed", message: outcome.message, hint });
};

// The error code of a failed sign-in is one of ours or the token endpoint's.
const known = (code: string): ErrorCode | null => (Object.hasOwn(meanings, code) ? (code as ErrorCode) : null);
