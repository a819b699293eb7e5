// GET /login: the short way to the pending sign-in, for terminals that break a long link. Open, because a
// person types it; there is something to see only while a sign-in is open, and the link holds no secret
// but the state, which is worth nothing without the verifier.
import { AppError } from "../messages/errors.ts";
import { respondEmpty } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

/** 302 to the link that comes back by itself when there is one: who reaches `/login` reaches `/callback` too. */
export const createLogin =
  ({ commands }: Pick<ApiDeps, "commands">): Endpoint =>
  ({ response }) => {
    const attempt = commands.pendingLogin();
    if (attempt === null) throw new AppError({ code: "not-found", message: "No sign-in is open.", hint: "Start one in the dashboard, with `claude-oauth-proxy login`, or on /auth/device." });
    respondEmpty(response, 302, { location: attempt.browserUrl ?? attempt.authorizeUrl, "referrer-policy": "no-referrer" });
  };
