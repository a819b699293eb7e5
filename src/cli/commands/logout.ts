// `logout [ACCOUNT] [--all]`: credentials are removed here in any case; a failed revocation at the server is a warning.
import type { OpenStore } from "../../app/open-store.ts";
import { AppError } from "../../messages/errors.ts";
import type { Command, ParsedArgs } from "../context.ts";
import { withStore } from "../with-store.ts";

/** Without an account and without `--all` it takes the only one there is. */
export const logout: Command = (context, args) =>
  withStore(context, args, async (store) => {
    const wanted = chosen(args, store);
    if (wanted === "nothing") {
      context.stderr.write("there is no account to sign out\n");
      return 0;
    }
    const { removed } = await store.commands.logout(wanted.id);
    context.stderr.write(removed.length === 0 ? "there was no account to sign out\n" : `signed out: ${removed.join(", ")}\n`);
    return 0;
  });

const chosen = ({ positionals, options }: ParsedArgs, { store }: OpenStore): { readonly id: string | null } | "nothing" => {
  const [id] = positionals;
  if (id !== undefined && options["all"] === true) throw new AppError({ code: "bad-usage", message: "Either an account or --all, not both." });
  if (id !== undefined) return { id };
  const rows = store.snapshot().accounts;
  if (rows.length === 0) return "nothing";
  const [only] = rows;
  if (options["all"] === true) return { id: null };
  if (rows.length === 1 && only !== undefined) return { id: only.id };
  throw new AppError({ code: "bad-usage", message: `There are ${rows.length} accounts: ${rows.map((row) => row.id).join(", ")}.`, hint: "Name one, or use --all." });
};
