// Makes an API key for a console sign-in. It bills the organisation of that console account, so the
// caller has told the person before. The endpoint is undocumented; `raw_key` is the one field relied on.
import { readErrorBody } from "../lib/error-body.ts";
import { parseJsonObject } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";
import type { PostDeps, Posted } from "./post.ts";
import { createPost } from "./post.ts";

export type ApiKeyAnswer =
  | { readonly outcome: "created"; readonly key: Secret }
  /** `mayExist`: the answer was lost, so a key may have been made that nobody holds. */
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string; readonly mayExist: boolean };

export type CreateApiKey = (request: { readonly baseUrl: string; readonly accessToken: Secret }) => Promise<ApiKeyAnswer>;

/** `baseUrl` is the API's origin. The returned function never throws. */
export const createApiKeyMaker = (deps: PostDeps): CreateApiKey => {
  const post = createPost(deps);
  return async ({ baseUrl, accessToken }) => {
    const posted = await post({
      url: `${baseUrl.replace(/\/+$/, "")}/api/oauth/claude_cli/create_api_key`,
      headers: { "content-type": "application/json", authorization: `Bearer ${accessToken.reveal()}` },
      body: "",
    });
    return posted.sent === "answered" ? readAnswer(posted, accessToken) : failed(posted.code, posted.message, posted.sent === "maybe");
  };
};

const readAnswer = ({ status, text }: Extract<Posted, { sent: "answered" }>, accessToken: Secret): ApiKeyAnswer => {
  const key = parseJsonObject(text ?? "")?.["raw_key"];
  const isGood = status >= 200 && status < 300;
  if (isGood && typeof key === "string" && /^[\u0021-\u007e]{8,4096}$/.test(key)) return { outcome: "created", key: secret(key) };
  const { type, message } = readErrorBody(text, { sent: [accessToken], longest: 2000 });
  return failed(type ?? `http-${status}`, message ?? type ?? `The key could not be made: the server answered ${status}.`, isGood);
};

const failed = (errorCode: string, message: string, mayExist: boolean): ApiKeyAnswer => ({ outcome: "failed", errorCode, message, mayExist });
