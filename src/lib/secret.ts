// A credential that cannot be printed by accident: every way JavaScript turns a value into text
// gives stars. The only way to the value is `reveal()`, which a reviewer can grep for.
import { createHash, timingSafeEqual } from "node:crypto";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A token, key, code or verifier. Compare two with `sameSecret`, never with `===` on revealed text. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself: only at the edge that sends or stores it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [inspect](): string {
    return "Secret(***)";
  }
}

/** Wraps `value` so that it prints as stars. */
export const secret = (value: string): Secret => new Secret(value);

/**
 * True when both texts are equal. Both sides are hashed first, so neither the length nor the position of the first
 * difference shows in the time it takes.
 */
export const sameText = (left: string, right: string): boolean => timingSafeEqual(digest(left), digest(right));

/** The same for two secrets, either of which may be missing. */
export const sameSecret = (left: Secret | null, right: Secret | null): boolean =>
  left === null || right === null ? left === right : left === right || sameText(left.reveal(), right.reveal());

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
