// `refresh [ACCOUNT]`: refresh now, in this process; a running proxy adopts the new token.
import { isoTime } from "../../lib/units.ts";
import type { RefreshOutcome } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import type { CliContext, Command } from "../context.ts";
import { withStore } from "../with-store.ts";

/** Exit code 3 when only a new sign-in helps, 1 when a later try may. */
export const refresh: Command = (context, args) =>
  withStore(context, args, async (store) => {
    const id = args.positionals[0] ?? null;
    if (id === null && store.store.snapshot().accounts.length === 0) {
      throw new AppError({ code: "sign-in-needed", message: "There is no account to refresh.", hint: "Sign in with `claude-oauth-proxy login`." });
    }
    const outcome = await store.commands.refresh(id);
    return report(context, id, outcome);
  });

const report = (context: CliContext, id: string | null, outcome: RefreshOutcome): number => {
  if (outcome.outcome !== "failed") {
    const until = outcome.expiresAt === null ? "without an expiry" : `valid until ${isoTime(outcome.expiresAt) ?? "an impossible time"}`;
    context.stderr.write(`${outcome.outcome === "adopted" ? "another process had refreshed already" : "refreshed"}, ${until}\n`);
    return 0;
  }
  throw new AppError({
    code: outcome.needsLogin ? "sign-in-needed" : "refresh-failed",
    message: `The refresh failed (${outcome.errorCode}): ${outcome.message}`,
    hint: outcome.needsLogin ? `Sign in again: claude-oauth-proxy login${id === null ? "" : ` --account ${id}`}` : "The credential is kept; try again later.",
  });
};
