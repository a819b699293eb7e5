// Makes an API key for a console sign-in. It bills the organisation of that console account, so a person was asked before.
// The endpoint is undocumented; `raw_key` is the one field relied on.
import { readErrorBody } from "../lib/error-body.ts";
import { parseJsonObject } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";
import type { PostDeps } from "./post.ts";
import { createPost, longestSentence } from "./post.ts";

export type ApiKeyAnswer =
  | { readonly outcome: "created"; readonly key: Secret }
  /** `mayExist`: the answer was lost, so a key may have been made that is stored nowhere. */
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string; readonly mayExist: boolean };

export type CreateApiKey = (request: { readonly baseUrl: string; readonly accessToken: Secret }) => Promise<ApiKeyAnswer>;

/** `baseUrl` is the API's origin. The returned function never throws. */
export const createApiKeyMaker = (deps: PostDeps): CreateApiKey => {
  const post = createPost(deps);
  return async ({ baseUrl, accessToken }) => {
    const posted = await post({
      url: `${baseUrl.replace(/(?<!\/)\/+$/, "")}/api/oauth/claude_cli/create_api_key`,
      headers: { "content-type": "application/json", authorization: `Bearer ${accessToken.reveal()}` },
      body: "",
    });
    if (posted.sent !== "answered") return { outcome: "failed", errorCode: posted.code, message: posted.message, mayExist: posted.sent === "maybe" };
    const { status, text } = posted;
    const isGood = status >= 200 && status < 300;
    const key = parseJsonObject(text ?? "")?.["raw_key"];
    if (isGood && typeof key === "string" && /^[\u0021-\u007e]{8,4096}$/.test(key)) return { outcome: "created", key: secret(key) };
    const { type, message } = readErrorBody(text, { sent: [accessToken], longest: longestSentence });
    return { outcome: "failed", errorCode: type ?? `http-${status}`, message: message ?? type ?? `The key could not be made: the server answered ${status}.`, mayExist: isGood };
  };
};
