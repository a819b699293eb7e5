// Which addresses may become links. An address may come from a record, a setting or a call, and a `javascript:` or
// `data:` link runs whatever its author wrote, on the page that shows it.

/**
 * `text` as an address that a browser may be sent to, written as the URL standard does: `http:` and `https:` only. Null for
 * every other scheme, and for what is no address.
 */
export const webAddress = (text: string): string | null => {
  // Not `canParse`: it says yes to some long names that are no address (Node 24).
  const url = URL.parse(text);
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.href : null;
};
