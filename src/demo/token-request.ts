// Reads the body of a token request, JSON or form, into plain texts. Anything else is a request that
// the real endpoint cannot parse either.
import { headerOf, type Arrived } from "./reply.ts";

export type TokenFields = Readonly<Record<string, string>>;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const fromJson = (text: string): TokenFields | null => {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = Object.entries(value).filter(([, field]) => typeof field === "string" || typeof field === "number");
  return Object.assign(Object.create(null) as object, Object.fromEntries(fields.map(([name, field]) => [name, String(field)]))) as TokenFields;
};

/** Null when the content type or the body is not understood. */
export const readTokenFields = (arrived: Arrived): TokenFields | null => {
  const type = (headerOf(arrived, "content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  const text = arrived.body.toString("utf8");
  if (type === "application/json") return fromJson(text);
  if (type !== "application/x-www-form-urlencoded") return null;
  return Object.fromEntries(new URLSearchParams(text));
};
