// What the browser is told when it comes back from the authorization server's page.
import type { Secret } from "../lib/secret.ts";
import type { CallbackResult, SubmitOutcome } from "../messages/commands.ts";

export type ExchangeOutcome = Exclude<SubmitOutcome, { outcome: "nothing" | "bad-paste" }>;

type Refused = Extract<CallbackResult, { readonly message: string }>;

const refused = (message: string): Refused => ({ result: "refused", message });

export const otherAttempt: CallbackResult = refused("This page belongs to another sign-in attempt.");

/** Whatever it asked for: it may not learn whether a sign-in is open. */
export const foreignBrowser: CallbackResult = {
  result: "foreign",
  message:
    "This browser did not open the link of a sign-in that waits here. Paste the code in the terminal where the sign-in was started " +
    "(the address of this page does as well), or open the short link shown there in this browser.",
};

export const lost: CallbackResult = {
  result: "lost",
  message: "This sign-in went on with another code before this browser came back: what was authorized here is not used. The terminal where the sign-in was started shows which account it is.",
};

export const tooLateToRefuse: CallbackResult = { result: "lost", message: "This sign-in went on with a code before the no of this page came: it was not stopped." };

/** `winner` is the code that was granted, `ended` why the sign-in led nowhere. */
export const finishedBefore = ({ ended, winner }: { readonly ended: string | null; readonly winner: Secret | null }): Refused =>
  refused(winner === null ? `This sign-in is over. ${ended ?? ""}`.trim() : "This sign-in is finished already.");

export const callbackResult = (outcome: ExchangeOutcome): CallbackResult => {
  switch (outcome.outcome) {
    case "signed-in":
      return { result: "signed-in" };
    case "confirm":
      return { result: "confirm", message: "One answer is missing: go back to where the sign-in was started and say there whether this account may be added." };
    case "retry":
      return { result: "retry", message: `${outcome.message} Reload this page to try again.` };
    case "failed":
      return { result: "failed", message: outcome.message };
  }
};

export const denialSentence = (error: string, description: string): string =>
  error === "access_denied" ? "The sign-in was refused on the page." : `The sign-in page reported ${error}${description === "" ? "" : `: ${description}`}.`;
