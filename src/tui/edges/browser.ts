// A page in the person's own browser. It counts as opened only when nothing speaks against it: on a machine without
// a browser the opener starts well and fails a second later.
import type { Clock } from "../../lib/clock.ts";
import { webAddress } from "../../lib/web-address.ts";
import { hasDisplay, isRemote } from "./terminal.ts";
import type { Environment } from "./terminal.ts";

/** `opened` false with `tried` false: not even tried, and `message` says why. */
export type Opened = { readonly opened: boolean; readonly tried: boolean; readonly message: string };

/**
 * Every user of this machine can read the arguments of every process, so a `url` must be worth nothing to them. For one that
 * is, the function makes a page of our own that leads there, and gives its address.
 */
export type OpenBrowser = (url: string | (() => Promise<string>)) => Promise<Opened>;

/** The part of the opener's child process that is used here. */
export type Opener = {
  readonly exitCode: number | null;
  once(event: "error", listener: () => void): unknown;
  once(event: "exit", listener: (code: number | null) => void): unknown;
};

export type BrowserDeps = {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly open?: (url: string) => Promise<Opener>;
};

/** Measured with open 11 without a browser: the bundled xdg-open gives up with code 3 within 1.5 s. */
const doubtMs = 3000;

const failed: Opened = { opened: false, tried: true, message: "Could not open a browser, use the link above." };
const asked: Opened = { opened: true, tried: true, message: "The page should be open in your browser." };

/** Resolves at once when it is not tried, else when the opener has ended or 3 s have passed. Never throws. */
export const createBrowserOpener = ({ env, platform, clock, open = loadAndOpen }: BrowserDeps): OpenBrowser => async (target) => {
  const reason = whyNoBrowser(env, platform);
  if (reason !== null) return { opened: false, tried: false, message: reason };
  // The address comes from the settings; an opener would take a path, an option or a script just as well.
  const address = typeof target === "string" ? webAddress(target) : target;
  if (address === null) return failed;
  try {
    return await outcomeOf(await open(typeof address === "string" ? address : await address()), clock);
  } catch {
    return failed;
  }
};

const loadAndOpen = async (url: string): Promise<Opener> => (await import("open")).default(url);

/** Why no browser is tried, in a sentence for a person; null when one is. */
export const whyNoBrowser = (env: Environment, platform: NodeJS.Platform): string | null => {
  if (isRemote(env)) return "No browser is opened over SSH: open the link above on your own machine.";
  if (env["BROWSER"] === "none") return "No browser is opened (BROWSER=none): use the link above.";
  return hasDisplay(env, platform) ? null : "There is no display here: open the link above on any machine.";
};

const outcomeOf = (opener: Opener, clock: Clock): Promise<Opened> =>
  new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(asked), doubtMs);
    const finish = (result: Opened): void => {
      timer.cancel();
      resolve(result);
    };
    opener.once("error", () => finish(failed));
    opener.once("exit", (code) => finish(code === 0 ? asked : failed));
    if (opener.exitCode !== null) finish(opener.exitCode === 0 ? asked : failed);
  });
