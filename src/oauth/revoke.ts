// Gives a token back at sign-out (RFC 7009). A server that cannot be reached must not keep anybody
// signed in here, so a failure is a value that the caller turns into a warning.
import { readErrorBody } from "../lib/error-body.ts";
import type { Secret } from "../lib/secret.ts";
import type { PostDeps } from "./post.ts";
import { createPost } from "./post.ts";

export type RevokeRequest = {
  /** The token endpoint; revocation is one step below it. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly token: Secret;
  readonly hint: "access_token" | "refresh_token";
};

export type RevokeAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** RFC 7009 section 2.2: 200 also for a token the server does not know. The returned function never throws. */
export const createRevoke = (deps: PostDeps): ((request: RevokeRequest) => Promise<RevokeAnswer>) => {
  const post = createPost(deps);
  return async ({ tokenUrl, clientId, token, hint }) => {
    const body = new URLSearchParams({ token: token.reveal(), token_type_hint: hint, client_id: clientId }).toString();
    const posted = await post({ url: `${tokenUrl.replace(/\/+$/, "")}/revoke`, headers: { "content-type": "application/x-www-form-urlencoded" }, body });
    if (posted.sent !== "answered") return { ok: false, message: posted.message };
    if (posted.status === 200) return { ok: true };
    const error = readErrorBody(posted.text, { sent: [token], longest: 2000 });
    return { ok: false, message: error.message ?? error.type ?? `The server answered ${posted.status} to the revocation.` };
  };
};
