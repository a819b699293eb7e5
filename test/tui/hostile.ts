// Texts that try to leave their column, and how to see whether one did.
import * as fc from "fast-check";

export const hostileTexts: readonly string[] = [
  "\u001b[2J\u001b[H", "\u001b]0;owned\u0007", "\u001b]52;c;aGVsbG8=\u0007", "\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\", "\u001bP+q544e\u001b\\",
  "\u009b31mred", "\u009d0;title\u009c", "line\nbreak\r\nand\ttab", "\u202egnp.exe\u202c", "\u2066iso\u2069late", "zero\u200bwidth\u200djoin\ufeff", "a\u0301\u0301\u0301\u0301\u0301\u0301flood",
  "日本語のモデル", "👨‍👩‍👧‍👦 family", "❤️🏽🇩🇪1️⃣", "\u{e0041}\u{e0042}tags", "\ud800lone", "x".repeat(10_240), "ﷺ﷽", "नमस्ते", "ｶﾞﾊﾞ", "\u0600\u06dd12", "\u1160\u115f",
];

/** Ordinary, hostile and arbitrary text. */
export const hostile: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: "binary", maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 40 }));

// oxlint-disable-next-line no-control-regex -- looking for them is the point
const steering = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{M}{3,}|\p{Cs}/u;

/** True when `text` holds something that moves a cursor, hides or reorders text. */
export const steers = (text: string): boolean => steering.test(text);
