// The credential: renewed once after a 401, and seen only where it belongs. These proofs come last, because the
// second one searches everything that all the others have sent and received.
import type { SeenRequest } from "../demo/journal.ts";
import { paths } from "../demo/routes.ts";
import type { Upstream } from "../demo/upstream.ts";
import { demand, demandSameBytes, messagesAt } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { pairsOf } from "./raw-client.ts";
import { ask } from "./sandbox.ts";
import type { Sandbox } from "./sandbox.ts";

const proveRenewal = async (sandbox: Sandbox): Promise<string> => {
  const { upstream } = sandbox;
  const before = { asked: messagesAt(upstream).length, refreshed: upstream.tokenCalls().refresh_token };
  upstream.expireAccessTokens();
  const { status } = await ask(sandbox);
  const refreshes = upstream.tokenCalls().refresh_token - before.refreshed;
  const asked = messagesAt(upstream).slice(before.asked);
  const statuses = asked.map((seen) => seen.status).join(", ");
  demand(refreshes === 1, `a 401 led to ${refreshes} refreshes instead of one`);
  demand(statuses === "401, 200", `the upstream answered ${statuses} instead of 401, 200`);
  demandSameBytes("the replayed body", asked[1]?.body ?? Buffer.alloc(0), asked[0]?.body ?? Buffer.alloc(0));
  demand(status === 200, `the client got ${status}`);
  return "401, 1 refresh, 1 replay with the same body, 200 for the client";
};

const proveSecrecy = async (sandbox: Sandbox): Promise<string> => {
  const { upstream, key } = sandbox;
  const leaked = upstream.requests.filter((seen) => textOf(seen).includes(key.reveal()));
  demand(leaked.length === 0, `the local key reached the upstream in ${leaked.length} of ${upstream.requests.length} requests`);
  const credentials = credentialsSeen(upstream);
  demand(credentials.length > 0, "no credential reached the upstream at all");
  const received = sandbox.received();
  const spilt = received.filter((bytes) => credentials.some((text) => bytes.includes(text)));
  demand(spilt.length === 0, `an upstream credential reached the client in ${spilt.length} of ${received.length} answers`);
  const bytes = received.reduce((sum, part) => sum + part.length, 0).toLocaleString("en-US");
  return `local key in 0 of ${upstream.requests.length} upstream requests; ${credentials.length} upstream credentials in 0 of ${bytes} bytes received`;
};

const textOf = ({ target, rawHeaders, body }: SeenRequest): string => [target, ...rawHeaders, body.toString("latin1")].join("\n");

/** Every access token that came with a request, every refresh token that was redeemed. */
const credentialsSeen = ({ requests }: Upstream): readonly string[] => {
  const access = requests.flatMap(({ rawHeaders }) => pairsOf(rawHeaders)).flatMap(([name, value]) => (/^(?:authorization|x-api-key)$/i.test(name) ? [value.replace(/^Bearer /i, "")] : []));
  const refresh = requests.filter(({ target }) => target === paths.token).flatMap(({ body }) => /sk-ant-ort[\w-]+/.exec(body.toString("latin1")) ?? []);
  return [...new Set([...access, ...refresh])];
};

export const credentialProofs: readonly Proof[] = [
  { name: "401 and refresh", prove: proveRenewal },
  { name: "no secret crosses", prove: proveSecrecy },
];
