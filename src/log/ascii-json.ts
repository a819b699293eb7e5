// JSON that is safe on a terminal. JSON itself escapes C0 only: 0x9B, bidirectional and zero-width
// characters would pass as they are.

/** `value` as JSON in pure ASCII; `indent` as in `JSON.stringify`. */
export const asciiJson = (value: unknown, indent = 0): string =>
  JSON.stringify(value, null, indent).replace(notPrintable, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const notPrintable = /[\u007f-\uffff]/g;
