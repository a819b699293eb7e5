// Reads the body of a token request, JSON or form, into plain texts. Anything else is a request that
// the real endpoint cannot parse either.
import { parseJsonObject } from "../lib/json.ts";
import { headerOf, type Arrived } from "./reply.ts";

export type TokenFields = Readonly<Record<string, string>>;

const fromJson = (text: string): TokenFields | null => {
  const value = parseJsonObject(text);
  if (value === null) return null;
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
