// Text that was copied from a terminal: a long line comes back as several rows, often padded with blanks.

// A run of blanks is looked at from its beginning only: a paste of 65,000 blanks would else take seconds.
const breaks = /(?<![ \t])[ \t]+(?=[\r\n\u0085\u2028\u2029])|[\r\n\u0085\u2028\u2029]+[ \t]*/g;

/** `text` in one line: a line break goes with the blanks around it. */
export const joinedLines = (text: string): string => text.replace(breaks, "");
