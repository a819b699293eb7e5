// GET|POST /api/accounts, PATCH|DELETE /api/accounts/:id: the accounts as claude-proxy lists them, with the
// switches of the dashboard. Listings never carry a token.
import { isoTime } from "../lib/units.ts";
import { secret } from "../lib/secret.ts";
import type { Commands } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { flagField, integerField, neededText, textField } from "../server/read-body.ts";
import type { JsonBody } from "../server/read-body.ts";
import { respondJson } from "../server/respond.ts";
import type { AccountRow } from "../state/state.ts";
import { checkedId, viewAccount, viewChanged } from "./account-view.ts";
import type { ApiDeps, Call, Endpoint } from "./call.ts";
import { submitParts } from "./sign-in.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "refreshLeadSeconds">;

/** `add` takes a finished sign-in, or an API key (`{api_key, id?, label?}`). */
export const createAccounts = (deps: Deps): Record<"list" | "add" | "change" | "remove", Endpoint> => ({
  list: ({ response }) => respondJson(response, 200, deps.store.snapshot().accounts.map((row) => listed(deps, row))),
  async add({ response, body }) {
    const fields = await body();
    const { accountId } = await (Object.hasOwn(fields, "api_key") ? addKey(deps.commands, fields) : submitParts(deps, fields));
    respondJson(response, 201, viewChanged(deps, accountId));
  },
  change: (call) => change(deps, call),
  async remove({ response, param }) {
    await deps.commands.logout(checkedId(param));
    respondJson(response, 200, { success: true, id: param });
  },
});

const listed = (deps: Deps, row: AccountRow): unknown => ({
  ...viewAccount(deps, row),
  name: row.label,
  status: row.enabled && row.health !== "needs-login" ? "active" : "inactive",
  enabled: row.enabled,
  priority: row.priority,
  cooling_until: isoTime(row.coolingUntil),
  refresh_at: isoTime(row.refreshedAt),
  last_refresh_error: row.lastError,
  requests: row.requests,
});

const addKey = async (commands: Commands, fields: JsonBody): Promise<{ readonly accountId: string }> => {
  const key = secret(neededText(fields, "api_key"));
  const id = textField(fields, "id");
  const label = textField(fields, "label");
  return commands.addApiKey({ key, ...(id === undefined ? {} : { accountId: checkedId(id) }), ...(label === undefined ? {} : { label }) });
};

const change = async (deps: Deps, { response, body, param }: Call): Promise<void> => {
  const id = checkedId(param);
  const fields = await body();
  const enabled = flagField(fields, "enabled");
  const label = textField(fields, "label");
  const priority = integerField(fields, "priority");
  if (enabled === undefined && label === undefined && priority === undefined) throw new AppError({ code: "bad-request", message: 'Nothing to change: send "enabled", "label" or "priority".' });
  if (enabled !== undefined) await deps.commands.setEnabled(id, enabled);
  if (label !== undefined) await deps.commands.rename(id, label);
  if (priority !== undefined) await deps.commands.setPriority(id, priority);
  respondJson(response, 200, viewChanged(deps, id));
};
