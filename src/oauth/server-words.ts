// What an authorization server said when it refused: both envelopes that are in use, and nothing of
// the rest of the body (RFC 6749 section 5.2; Anthropic API errors).
import { isObject, parseJsonObject } from "../lib/json.ts";
import { visibleText } from "../lib/visible-text.ts";
import { withoutSecrets } from "../lib/without-secrets.ts";
import type { Secret } from "../lib/secret.ts";

export type ServerWords = { readonly errorCode: string; readonly message: string; readonly envelope: "oauth" | "api" };

const longest = 2000;

/** Null when the body is not JSON with an `error`. `sent` are the secrets that must not come back in the words. */
export const serverWords = (text: string | null, sent: readonly Secret[] = []): ServerWords | null => {
  const body = parseJsonObject(text ?? "");
  if (body === null) return null;
  const safe = (value: unknown): string => (typeof value === "string" ? scrubbed(value, sent) : "");
  const error = body["error"];
  if (typeof error === "string" && error !== "") return oauthWords(safe(error), safe(body["error_description"]), safe(body["error_uri"]));
  if (!isObject(error)) return null;
  return { errorCode: safe(error["type"]).slice(0, 80) || "api_error", message: safe(error["message"]) || "no reason given", envelope: "api" };
};

const oauthWords = (errorCode: string, description: string, uri: string): ServerWords => ({
  errorCode: errorCode.slice(0, 80),
  message: visibleText([description || errorCode, uri === "" ? "" : `(${uri})`].filter((part) => part !== "").join(" "), longest),
  envelope: "oauth",
});

const scrubbed = (text: string, sent: readonly Secret[]): string => visibleText(withoutSecrets(text, sent), longest);
