// A request as a command for a POSIX shell. Without secrets: the local key is asked for by the shell, and
// the body was never kept, so a Messages request gets a small one of the same model.
import type { RequestRow } from "../../state/state.ts";
import type { SetupParts } from "./setup-lines.ts";
import { clientAddress } from "./setup-lines.ts";

/** `curl` for `row`, one option on each line. */
export const curlCommand = (row: RequestRow, parts: SetupParts): string => {
  const lines = [`curl -sS -X ${shellWord(row.method)} ${shellWord(clientAddress(parts) + row.path)}`, ...credential(parts), "-H 'anthropic-version: 2023-06-01'", ...body(row)];
  return lines.join(" \\\n  ");
};

/** One argument, quoted so that a shell takes it as it is. */
export const shellWord = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

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
  return [json, `-d ${shellWord(JSON.stringify({ model: modelAsked ?? model ?? "MODEL", ...limit, messages }))}`];
};
