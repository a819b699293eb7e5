// The beginning of every story about secrets: a home with a signed-in account, an API key and an imported
// account, all their secrets known as canaries, and what was printed on the way kept for later.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanaries } from "./canaries.ts";
import type { Canaries, Sinks } from "./canaries.ts";
import type { Environment } from "./program.ts";
import { filesBelow, prepareProxy } from "./real-proxy.ts";
import type { Ended, Found, RealProxy } from "./real-proxy.ts";

export type Story = {
  readonly proxy: RealProxy;
  readonly canaries: Canaries;
  /** What is looked through at the end. */
  readonly sinks: Sinks;
  /** Keeps what a command printed; gives the command back. */
  keep(name: string, ended: Ended): Ended;
  /** Follows whatever stands in the credentials file now. */
  noteTokens(): void;
  /** Follows code, state and verifier of the last exchange at the token endpoint. */
  noteExchange(name: string): void;
};

export const tokenPath = "/v1/oauth/token";

/** A secret that no pattern recognises: only who knows the value can keep it out of a text. */
export const opaque = (name: string): string => `${name.replaceAll(/\W/g, "-")}-${createHash("sha256").update(name).digest("base64url")}`;

/** Nothing has happened yet. */
export const beginStory = async (env: Environment = {}): Promise<Story> => {
  const proxy = await prepareProxy({}, env);
  const canaries = createCanaries();
  const sinks: Sinks = new Map();
  canaries.add("e-mail", "ada@example.com");
  return {
    proxy,
    canaries,
    sinks,
    keep(name, ended) {
      sinks.set(`${name}: stdout`, ended.out).set(`${name}: stderr`, ended.err);
      return ended;
    },
    noteTokens() {
      for (const [id, { access_token: access, refresh_token: refresh }] of Object.entries(proxy.stored())) {
        canaries.add(`access token of ${id} …${access.slice(-4)}`, access);
        if (refresh !== null) canaries.add(`refresh token of ${id} …${refresh.slice(-4)}`, refresh);
      }
    },
    noteExchange(name) {
      const calls = proxy.upstream.requests.filter(({ target }) => target === tokenPath).map(({ body }) => JSON.parse(body.toString()) as Record<string, string>);
      const last = calls.findLast((call) => call["grant_type"] === "authorization_code") ?? {};
      for (const field of ["code", "state", "code_verifier"]) canaries.add(`${name}: ${field}`, last[field] ?? "");
    },
  };
};

/** Signs in over a pipe, first with a server that refuses and quotes; adds an API key; imports an account. */
export const fillStore = async (story: Story): Promise<void> => {
  const { proxy, canaries } = story;
  const refused = await proxy.login((pasted) => {
    const description = `no such code: ${pasted.replace("#", " with ")}`;
    proxy.upstream.script({ match: { path: tokenPath }, fault: { kind: "status", status: 400, body: { error: "invalid_scope", error_description: description } } });
  });
  story.noteExchange("refused sign-in");
  const done = await proxy.login();
  story.noteExchange("sign-in");
  // The link is there to be seen, and the state is part of it; in any sentence it would be a leak.
  for (const [name, ended] of Object.entries({ "refused login": refused, login: done })) story.keep(name, { ...ended, err: ended.err.replace(ended.link, "") });
  if (refused.code !== 1 || done.code !== 0) throw new Error(`${refused.code} ${done.code}: ${refused.err}${done.err}`);
  const key = canaries.add("API key", proxy.upstream.issueApiKey().reveal());
  story.keep("add-key", await proxy.run(["accounts", "add-key"], { input: `${key}\n` }));
  const file = join(proxy.home, "oauth_tokens.json");
  const entry = { provider_id: "mux", access_token: opaque("access"), refresh_token: opaque("refresh"), expires_at: "2099-01-01T00:00:00Z", enterprise_url: null };
  writeFileSync(file, JSON.stringify({ mux: entry }));
  story.keep("import", await proxy.run(["import", file]));
  writeFileSync(file, "imported");
  canaries.add("local key", proxy.key());
};

/** True for the files that are there for secrets: the credentials with their backup, and the local key. */
export const isSecretFile = ({ path }: Found): boolean => /^\.config\/claude-oauth-proxy\/(?:accounts\.json|key)/.test(path);

/** Every other file of the home becomes a sink. */
export const keepFiles = ({ proxy, sinks }: Story): void => {
  for (const file of filesBelow(proxy.home)) if (!isSecretFile(file)) sinks.set(`file ${file.path}`, file.text);
};

/** What `ps` and /proc tell of a process: arguments and environment. */
export const procOf = (pid: number | "self" | string): readonly string[] => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`];
