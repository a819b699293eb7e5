// The endpoints beside the Messages API that only an OAuth bearer may call.
import { checkBearer } from "./credential.ts";
import type { Ledger } from "./ledger.ts";
import { clientId } from "./registered-client.ts";
import { jsonReply, type Arrived, type Reply } from "./reply.ts";

/** `POST /api/oauth/claude_cli/create_api_key`: needs `org:create_api_key`; the key is told once. */
export const createApiKey = (ledger: Ledger, arrived: Arrived): Reply => {
  const check = checkBearer(ledger, arrived, "org:create_api_key");
  return check.ok ? jsonReply(200, { raw_key: ledger.addKey(check.caller.person) }) : check.reply;
};

/** `GET /api/oauth/profile`: needs `user:profile`. Here the address is called `email`. */
export const profile = (ledger: Ledger, arrived: Arrived): Reply => {
  const check = checkBearer(ledger, arrived, "user:profile");
  if (!check.ok) return check.reply;
  const { uuid, name, email, organization } = check.caller.person;
  return jsonReply(200, {
    account: {
      uuid,
      full_name: name,
      display_name: name.split(" ")[0],
      email,
      has_claude_max: organization.type === "claude_max",
      has_claude_pro: organization.type === "claude_pro",
    },
    organization: {
      uuid: organization.uuid,
      name: organization.name,
      organization_type: organization.type,
      billing_type: "stripe_subscription",
      rate_limit_tier: organization.tier,
      seat_tier: null,
      subscription_status: "active",
    },
    application: { uuid: clientId, name: "Claude Code", slug: "claude-code" },
  });
};
