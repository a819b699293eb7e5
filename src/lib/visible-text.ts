// Text from outside (headers, error sentences, models, paths, labels) made harmless for a terminal.
// Acceptance facts: llhttp lets 0x80-0x9F through and 0x9B is an 8-bit CSI; JSON can carry any escape.

// C0, DEL, C1, line and paragraph separators, bidirectional controls, zero-width and tag characters.
const hostile =
  // oxlint-disable-next-line no-control-regex -- these are the characters this file exists for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{M}{3,}|\p{Cs}/gu;

const harmless = /^[\u0020-\u007e]*$/;

/**
 * Replaces everything that could move a cursor, reorder or hide text by a visible `·` and cuts the
 * result at `limit` UTF-16 units (default 300). Runs of three and more combining marks count as one.
 */
export const visibleText = (text: string, limit = 300): string => {
  if (text.length <= limit && harmless.test(text)) return text;
  const clean = text.slice(0, limit * 2).replace(hostile, "·");
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
};
