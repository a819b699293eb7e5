// HTML from a template: every value is escaped unless it is HTML from here. There is no other way from a text
// to a page, so a label or an error from outside can never become markup.
import { webAddress } from "./web-address.ts";

/** Text that is markup already. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A link to a page of others, in a window of its own; the text alone where `address` may not become a link. */
export const linkTo = (address: string, text: string): Html => {
  const href = webAddress(address);
  return href === null ? html`${text}` : html`<a href="${href}" target="_blank" rel="noopener noreferrer">${text}</a>`;
};

type Part = Html | string | number | null | readonly Html[];

/** Joins markup and values; null is nothing. */
export const html = (markup: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(markup.map((text, index) => text + asMarkup(index < parts.length ? (parts[index] ?? null) : null)).join(""));

const asMarkup = (part: Part): string => {
  if (part === null) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "object") return part.map(String).join("");
  return escaped(String(part));
};

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;" };

const escaped = (text: string): string => text.replace(/[&<>"'`]/g, (sign) => entities[sign] ?? "");
