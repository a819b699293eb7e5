/** The end of a `switch` over a union: the compiler refuses a missing case, the process a foreign one. */
export const assertNever = (value: never): never => {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
};
