// The certificates of a PEM file, as far as they can be parsed.
import { X509Certificate } from "node:crypto";

/** `ends` are wall milliseconds, one per certificate that was understood. */
export type Certificates = { readonly ends: readonly number[]; readonly broken: number };

const block = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** Null stays null. Never throws. */
export const certificatesIn = (text: string | null): Certificates | null => {
  if (text === null) return null;
  const ends = (text.match(block) ?? []).map(endOf);
  return { ends: ends.filter((end) => end !== null), broken: ends.filter((end) => end === null).length };
};

const endOf = (pem: string): number | null => {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return null;
  }
};
