// Constant-time comparison of two texts of any length.
import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * True when both texts are equal. Both sides are hashed first, so neither the length nor the
 * position of the first difference shows in the time it takes.
 */
export const sameText = (left: string, right: string): boolean =>
  timingSafeEqual(digest(left), digest(right));
