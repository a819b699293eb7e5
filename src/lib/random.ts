// Randomness as an argument, so that a test can hold it still.
import { randomBytes } from "node:crypto";

/** Gives `size` bytes from a cryptographically secure source; every call is a separate draw. */
export type Random = (size: number) => Uint8Array;

/** The operating system's source. */
export const systemRandom: Random = (size) => randomBytes(size);

/** RFC 4648 section 5 without padding, as RFC 7636 appendix A wants it. */
export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
