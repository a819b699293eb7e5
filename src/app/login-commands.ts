// Wishes about signing in, for whoever shows the link: the dashboard, the HTTP API, the login command.
import type { AccountEndpoints } from "../accounts/account.ts";
import type { Commands, LoginAttempt } from "../messages/commands.ts";
import type { OAuthSettings } from "../oauth/authorize-url.ts";
import { createLoginFlow } from "../oauth/login-flow.ts";
import type { LoginFlow } from "../oauth/login-flow.ts";
import type { Loopback } from "../oauth/login-attempt.ts";
import { AppError } from "../messages/errors.ts";
import { checkAccountId } from "./account-id.ts";
import { checkEndpoints } from "./endpoints.ts";
import type { Ground } from "./ground.ts";
import { keepLogin } from "./keep-login.ts";

export type LoginCommands = Pick<Commands, "startLogin" | "pendingLogin" | "submitCode" | "completeCallback" | "cancelLogin">;

export type LoginPlace = {
  /** Called before a sign-in opens: where the browser can come back to, null for nowhere. */
  readonly prepare: (complete: LoginFlow["completeCallback"]) => Promise<Loopback | null>;
};

export const createLoginCommands = (ground: Ground, { prepare }: LoginPlace): LoginCommands => {
  let loopback: Loopback | null = null;
  let fallbackId: string | null = null;
  let own: AccountEndpoints = {};
  const flow = createLoginFlow({
    clock: ground.clock,
    random: ground.random,
    publish: ground.bus.publish,
    settings: ground.config.oauth,
    tokenEndpoint: ground.server.tokenEndpoint,
    loopback: () => loopback,
    keep: (login) => keepLogin(ground, login, { fallbackId, endpoints: own }),
  });
  return {
    async startLogin({ kind, accountId, endpoints = {} }): Promise<LoginAttempt> {
      if (ground.config.mode === "pass-through") throw passThrough();
      if (accountId !== undefined) checkAccountId(accountId);
      const wished = checkEndpoints(endpoints, ground.config);
      loopback = await prepare(flow.completeCallback);
      fallbackId = null;
      own = wished;
      return flow.start({
        ...(kind === undefined ? {} : { kind }),
        ...(accountId === undefined ? {} : { accountId }),
        settings: ownSettings(ground, accountId, wished),
      });
    },
    pendingLogin: () => flow.pending(),
    submitCode(pasted, attemptId, accountId) {
      if (accountId !== undefined) fallbackId = checkAccountId(accountId);
      return flow.submit(pasted, attemptId);
    },
    completeCallback: flow.completeCallback,
    cancelLogin: (attemptId) => flow.cancel(attemptId),
  };
};

const passThrough = (): AppError =>
  new AppError({ code: "bad-usage", message: "in pass-through mode nobody signs in here: the client keeps its own login", hint: "Set mode to oauth to sign in." });

/** What an account has of its own, or is to have. */
const ownSettings = ({ registry }: Ground, accountId: string | undefined, wished: AccountEndpoints): Partial<OAuthSettings> => {
  const kept = accountId === undefined ? undefined : registry.get(accountId)?.account.endpoints;
  const { baseUrl: _api, authorizeUrl, ...rest } = { ...kept, ...wished };
  return { ...rest, ...(authorizeUrl === undefined ? {} : { authorizeUrl, consoleAuthorizeUrl: authorizeUrl }) };
};
