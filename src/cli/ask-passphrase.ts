// The passphrase of a sealed store: asked on a terminal only, so that a script never hangs.
import type { Secret } from "../lib/secret.ts";
import { askLine } from "./prompt.ts";
import type { World } from "./world.ts";

/** Null when there is nobody to ask, or nothing was typed. */
export const passphraseAsker =
  ({ stdin, stderr }: World) =>
  async (): Promise<Secret | null> =>
    stdin.isTTY === true ? askLine({ stdin, ask: (text) => void stderr.write(text), question: "Passphrase of the account store: " }) : null;
