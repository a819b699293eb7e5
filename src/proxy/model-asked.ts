// Which model a request asks for, by a glance at the first bytes of its body. Only shown, never acted on:
// clients write `model` first, and whoever does not is shown without one.

const firstBytes = 256;
const pattern = /^\s*\{\s*(?:"(?:max_tokens|stream)"\s*:\s*[\w.]+\s*,\s*)*"model"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{1,100})"/;

/** The model's name (plain ASCII without escapes), or null. `head` is the beginning of the body, in any length. */
export const modelAsked = (head: Buffer | null): string | null => {
  if (head === null) return null;
  return pattern.exec(head.toString("latin1", 0, Math.min(firstBytes, head.length)))?.[1] ?? null;
};
