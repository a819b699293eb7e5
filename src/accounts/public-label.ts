// How an account may be called in an event.
import { visibleText } from "../lib/visible-text.ts";
import { withoutEmail } from "../lib/redact.ts";

/** The label without an e-mail address or a control character, on one line of at most 80. */
export const publicLabel = (label: string): string => visibleText(withoutEmail(label), 80);
