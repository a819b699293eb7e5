// GET|POST /api/accounts, PATCH|DELETE /api/accounts/:id: the accounts as claude-proxy lists them, with the
// switches of the dashboard. Listings never carry a token.
import { isoTime } from "../lib/iso-time.ts";
import { secret } from "../lib/secret.ts";
import type { Commands } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { flagField, integerField, neededText, textField } from "../server/read-body.ts";
import { respondJson } from "../server/respond.ts";
import type { AccountRow } from "../state/state.ts";
import { viewAccount } from "./account-view.ts";
import type { ApiDeps, Call, Endpoint } from "./call.ts";
import { accountAfter, exchangeParts, providerId } from "./oauth.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "refreshLeadSeconds">;

/** `add` takes a finished sign-in, or an API key (`{api_key, id?, label?}`). */
export const createAccounts = (deps: Deps): { list: Endpoint; add: Endpoint; change: Endpoint; remove: Endpoint } => ({
  list: ({ response }) => respondJson(response, 200, deps.store.snapshot().accounts.map((row) => listed(deps, row))),
  add: (call) => add(deps, call),
  change: (call) => change(deps, call),
  async remove({ response, param }) {
    await deps.commands.logout(providerId(param));
    respondJson(response, 200, { success: true, id: param });
  },
});

const listed = ({ store, clock, refreshLeadSeconds }: Deps, row: AccountRow): unknown => ({
  ...viewAccount(row, { refreshes: store.snapshot().refreshes, now: clock.now(), refreshLeadSeconds, keyShown: true }),
  name: row.label,
  status: row.enabled && row.health !== "needs-login" ? "active" : "inactive",
  enabled: row.enabled,
  priority: row.priority,
  cooling_until: isoTime(row.coolingUntil),
  refresh_at: isoTime(row.refreshedAt),
  last_refresh_error: row.lastError,
  requests: row.requests,
});

const add = async (deps: Deps, call: Call): Promise<void> => {
  const fields = await call.body();
  const accountId = Object.hasOwn(fields, "api_key") ? await addKey(deps.commands, fields) : (await exchangeParts(deps, fields)).accountId;
  respondJson(call.response, 201, accountAfter(deps, accountId));
};

const addKey = async (commands: Commands, fields: Readonly<Record<string, unknown>>): Promise<string> => {
  const key = secret(neededText(fields, "api_key"));
  const id = textField(fields, "id");
  const label = textField(fields, "label");
  const names = { ...(id === undefined ? {} : { accountId: providerId(id) }), ...(label === undefined ? {} : { label }) };
  return (await commands.addApiKey({ key, ...names })).accountId;
};

const change = async (deps: Deps, { response, body, param }: Call): Promise<void> => {
  const id = providerId(param);
  const fields = await body();
  const enabled = flagField(fields, "enabled");
  const label = textField(fields, "label");
  const priority = integerField(fields, "priority");
  if (enabled === undefined && label === undefined && priority === undefined) throw new AppError({ code: "bad-request", message: 'Nothing to change: send "enabled", "label" or "priority".' });
  if (enabled !== undefined) await deps.commands.setEnabled(id, enabled);
  if (label !== undefined) await deps.commands.rename(id, label);
  if (priority !== undefined) await deps.commands.setPriority(id, priority);
  respondJson(response, 200, accountAfter(deps, id));
};
