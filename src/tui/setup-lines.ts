// The exact lines that make Claude Code use this proxy, and where it listens. The local key is never
// part of them: the shell asks the program for it.
import { originOf } from "../lib/host.ts";
import { posixWord } from "../lib/shell-quote.ts";
import type { AppState, RequestRow } from "../state/state.ts";
import type { About } from "./view.ts";

export type SetupParts = { readonly live: Pick<AppState, "server">; readonly about: About };

/** `http://HOST:PORT` as a client on this machine reaches it. */
export const clientAddress = ({ live: { server } }: SetupParts): string => originOf(server.host ?? "127.0.0.1", server.port ?? 0);

/** Lines for a POSIX shell, ready to be pasted. */
export const setupLines = (parts: SetupParts): readonly string[] => {
  const { about, live } = parts;
  const base = `export ANTHROPIC_BASE_URL=${clientAddress(parts)}`;
  // Without a token Claude Code would ask to sign in, so it gets one even where no key is asked for.
  if (live.server.mode !== "pass-through") return [base, `export ANTHROPIC_AUTH_TOKEN="$(${about.program} print-key)"`, "claude"];
  return about.keyNeeded ? [base, `export ANTHROPIC_CUSTOM_HEADERS="x-claude-oauth-proxy-key: $(${about.program} print-key)"`, "claude"] : [base, "claude"];
};

/** `curl` for `row`, one option on each line. */
export const curlCommand = (row: RequestRow, parts: SetupParts): string => {
  const lines = [`curl -sS -X ${posixWord(row.method)} ${posixWord(clientAddress(parts) + row.path)}`, ...credential(parts), "-H 'anthropic-version: 2023-06-01'", ...body(row)];
  return lines.join(" \\\n  ");
};

const credential = ({ about, live }: SetupParts): readonly string[] => {
  if (live.server.mode === "pass-through") {
    const own = `-H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"`;
    return about.keyNeeded ? [own, `-H "x-claude-oauth-proxy-key: $(${about.program} print-key)"`] : [own];
  }
  return about.keyNeeded ? [`-H "authorization: Bearer $(${about.program} print-key)"`] : [];
};

const body = ({ method, path, modelAsked, model }: RequestRow): readonly string[] => {
  if (method === "GET" || method === "HEAD" || method === "DELETE") return [];
  const json = "-H 'content-type: application/json'";
  if (!path.startsWith("/v1/messages")) return [json, "--data-binary @request.json"];
  const messages = [{ role: "user", content: "ping" }];
  const limit = path.includes("count_tokens") ? {} : { max_tokens: 16 };
  return [json, `-d ${posixWord(JSON.stringify({ model: modelAsked ?? model ?? "MODEL", ...limit, messages }))}`];
};
