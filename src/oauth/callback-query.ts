// What the browser's way back says (RFC 6749 section 4.1.2). The author of a link chooses its `error_description`, so control
// characters in it are made visible here.
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";

export type CallbackQuery =
  | { readonly says: "code"; readonly code: Secret; readonly state: Secret }
  | { readonly says: "error"; readonly error: string; readonly description: string; readonly state: Secret }
  | { readonly says: "nonsense" };

/** `query` with or without its `?`. A parameter given twice makes no sense (RFC 6749 section 3.1). */
export const readCallbackQuery = (query: string): CallbackQuery => {
  const fields = new URLSearchParams(query.slice(0, 16_384));
  const once = (name: string): string | null => (fields.getAll(name).length === 1 ? fields.get(name) || null : null);
  const [code, state, error] = [once("code"), once("state"), once("error")];
  if (state === null) return { says: "nonsense" };
  if (error !== null) {
    const description = visibleText(once("error_description") ?? "");
    return { says: "error", error: visibleText(error, 80), description, state: secret(state) };
  }
  return code === null ? { says: "nonsense" } : { says: "code", code: secret(code), state: secret(state) };
};
