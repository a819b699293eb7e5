// What reaches the upstream: the client's body, its headers in their order, the betas, and no local key.
import { demand, demandSameBytes, demandSameFields, endToEnd, messagesAt } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { pairsOf } from "./raw-client.ts";
import type { RawField } from "./raw-client.ts";
import { ask } from "./sandbox.ts";
import type { Sandbox } from "./sandbox.ts";

const oauthBeta = "oauth-2025-04-20";

// Blanks, order, a doubled member, escapes, XML and code: what a parser in between would tidy up.
const prompt = String.raw`<system-reminder>if (a && b) { return "\u00e4"; }</system-reminder> ' OR 1=1 -- ${"ä€😀"} \u0000`;
const bodyOf = (padding: number): Buffer =>
  Buffer.from(
    `{ "max_tokens" : 16,\t"model":"claude-sonnet-4-6", "unknown_field": {"z":1,"a":1.0e0},\r\n "max_tokens":16,"messages":[{"role":"user","content":${JSON.stringify(prompt + "x".repeat(padding))}}] }\n`,
  );

const sendings = [
  { body: bodyOf(40_000), chunked: false },
  { body: bodyOf(40_000), chunked: true },
  // Large enough to be passed on while it is still coming in.
  { body: bodyOf(1_000_000), chunked: false },
] as const;

const proveBody = async (sandbox: Sandbox): Promise<string> => {
  for (const sending of sendings) {
    const before = messagesAt(sandbox.upstream).length;
    const { status } = await ask(sandbox, sending);
    demand(status === 200, `the simulated upstream answered ${status}`);
    const [seen, ...others] = messagesAt(sandbox.upstream).slice(before);
    demand(others.length === 0, `one request arrived ${others.length + 1} times`);
    demandSameBytes("the body", seen?.body ?? Buffer.alloc(0), sending.body);
  }
  const bytes = sendings.reduce((sum, { body }) => sum + body.length, 0);
  return `${sendings.length} bodies, ${bytes.toLocaleString("en-US")} bytes, with a length and chunked: identical`;
};

const betas = "claude-code-20250219,interleaved-thinking-2025-05-14, some-beta-of-tomorrow";

const fieldsWith = (beta: string): readonly RawField[] => [
  ["Accept", "application/json"],
  ["X-Stainless-Lang", "js"],
  ["anthropic-beta", beta],
  ["content-type", "application/json"],
  ["anthropic-version", "2023-06-01"],
  ["x-Claude-Code-Session-Id", "7d3c2f9e-0000-4000-8000-000000000001"],
  ["X-Unknown", 'a, b;c="d"'],
  ["anthropic-header-of-tomorrow", "1"],
  ["User-Agent", "claude-oauth-proxy-doctor"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["X-Unknown", "a second time"],
];

/** What arrived without what belongs to the connection, and the credential that came last. */
const arrived = async (sandbox: Sandbox, fields: readonly RawField[]): Promise<{ readonly fields: readonly RawField[]; readonly credential: RawField }> => {
  await ask(sandbox, { fields });
  const seen = messagesAt(sandbox.upstream).at(-1);
  demand(seen?.target === "/v1/messages?beta=true", "the request target was changed");
  const all = pairsOf(seen?.rawHeaders ?? []);
  const credentials = all.filter(([name]) => /^(?:authorization|x-api-key)$/i.test(name));
  demand(credentials.length === 1, `${credentials.length} credentials arrived instead of one`);
  return { fields: all.filter((field) => !credentials.includes(field)), credential: credentials[0] ?? ["", ""] };
};

const proveHeaders = async (sandbox: Sandbox): Promise<string> => {
  const sent = fieldsWith(oauthBeta);
  const { fields, credential } = await arrived(sandbox, sent);
  demandSameFields(endToEnd(fields, ["content-length"]), endToEnd(sent));
  demand(/^Bearer \S+$/.test(credential[1]) && !credential[1].includes(sandbox.key.reveal()), "the credential is not the account's own");
  return `${sent.length} fields in the same order, case and number; target unchanged`;
};

const proveBetas = async (sandbox: Sandbox): Promise<string> => {
  const betaOf = async (beta: string): Promise<string> =>
    (await arrived(sandbox, fieldsWith(beta))).fields.filter(([name]) => name.toLowerCase() === "anthropic-beta").map(([, value]) => value).join("|");
  const added = await betaOf(betas);
  demand(added === `${betas},${oauthBeta}`, "the values of the client are not all there with the OAuth beta once behind them");
  const there = await betaOf(`${oauthBeta},${betas}`);
  demand(there === `${oauthBeta},${betas}`, "a list that has the OAuth beta was changed");
  return `3 of 3 values kept in order; ${oauthBeta} added once`;
};

export const requestProofs: readonly Proof[] = [
  { name: "request body", prove: proveBody },
  { name: "request headers", prove: proveHeaders },
  { name: "betas", prove: proveBetas },
];
