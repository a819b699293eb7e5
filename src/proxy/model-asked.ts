// Which model a request asks for, by a glance at the first bytes of its body. Only shown, never acted on:
// clients write `model` first, and whoever does not is shown without one.
import { visibleText } from "../lib/visible-text.ts";

const firstBytes = 512;
const pattern = /^\s*\{\s*(?:"(?:max_tokens|stream)"\s*:\s*[\w.]+\s*,\s*)*"model"\s*:\s*"([^"\\]{1,100})"/;

/** The model's name made visible, or null. `head` is the beginning of the body, in any length. */
export const modelAsked = (head: Buffer | null): string | null => {
  if (head === null) return null;
  const name = pattern.exec(head.toString("utf8", 0, Math.min(firstBytes, head.length)))?.[1];
  return name === undefined ? null : visibleText(name, 100);
};
