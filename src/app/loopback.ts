// Where the browser of a sign-in comes to: the server that runs, or a listener for this one sign-in.
import { callbackAnswer, linkAnswer } from "../api/login.ts";
import { linkNotice } from "../messages/commands.ts";
import type { Event } from "../messages/events.ts";
import { listenForCallback } from "../oauth/callback.ts";
import type { CallbackListener } from "../oauth/callback.ts";
import { holdLocalhost } from "../oauth/localhost.ts";
import type { HeldLocalhost } from "../oauth/localhost.ts";
import { loginLifeMs } from "../oauth/login-attempt.ts";
import type { Listening } from "./app.ts";
import type { Core } from "./core.ts";
import type { FindLoopback } from "./login-commands.ts";

export type LoopbackFinder = { readonly find: FindLoopback; close(): Promise<void> };

/** The running server, when `localhost` is sure to lead to it; its whole name is ours while the sign-in is open. */
export const createServerLoopback = ({ config, bus }: Core, listening: () => Listening | null): LoopbackFinder => {
  let held: HeldLocalhost | null = null;
  const release = (): void => {
    held?.release();
    held = null;
  };
  bus.subscribe((event) => void (hasEnded(event) && release()), "the other address of localhost");
  return {
    async find() {
      const own = listening();
      if (own === null) return null;
      held ??= await holdLocalhost(own);
      if (held !== null) return { origin: `http://localhost:${own.port}`, returns: config.oauth.callback };
      const message = `There is no short sign-in link: localhost:${own.port} may lead to another program than this one.`;
      bus.publish({ type: "notice", level: "warning", code: linkNotice, message, hint: "Sign in by pasting the code." });
      return null;
    },
    close: async () => release(),
  };
};

/** One listener for each sign-in, gone as soon as the sign-in has ended. */
export const createCallbackListeners = ({ config, clock, random, bus }: Core): LoopbackFinder => {
  let listener: CallbackListener | null = null;
  const close = async (): Promise<void> => {
    const closing = listener;
    listener = null;
    await closing?.close();
  };
  bus.subscribe((event) => void (hasEnded(event) && void close()), "the callback listener");
  return {
    close,
    async find(flow) {
      await close();
      if (!config.oauth.callback) return null;
      const pages = { random, accountsPage: null };
      listener = await listenForCallback({
        clock,
        lifeMs: loginLifeMs,
        openLink: (request, token) => linkAnswer(flow, { request, token }, pages),
        complete: (request, query) => callbackAnswer(flow, { request, query }, pages),
      });
      return { origin: listener.origin, returns: true };
    },
  };
};

// What follows a sign-in that was superseded takes its place here too.
const hasEnded = (event: Event): boolean => event.type === "login.succeeded" || (event.type === "login.failed" && event.errorCode !== "superseded");
