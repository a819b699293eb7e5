// The passphrase of a sealed store: asked on a terminal only, so that a script never hangs, and once,
// although a command may open the store twice.
import type { Secret } from "../lib/secret.ts";
import { askLine } from "./prompt.ts";
import type { Input, Output } from "./context.ts";

/** The function resolves to null when there is nobody to ask, or nothing was typed. */
export const createPassphraseAsker = ({ stdin, stderr }: { readonly stdin: Input; readonly stderr: Output }): (() => Promise<Secret | null>) => {
  let answer: Promise<Secret | null> | null = null;
  return () => {
    if (stdin.isTTY !== true) return Promise.resolve(null);
    answer ??= askLine({ stdin, ask: (text) => void stderr.write(text), question: "Passphrase of the account store: " });
    return answer;
  };
};
