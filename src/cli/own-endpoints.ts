// The options of `login` and `add-key` that give an account addresses of its own.
import type { EndpointKey, EndpointWishes } from "../messages/commands.ts";
import type { ParsedArgs } from "./context.ts";

const options: readonly (readonly [option: string, key: EndpointKey])[] = [
  ["base-url", "baseUrl"],
  ["token-url", "tokenUrl"],
  ["authorize-url", "authorizeUrl"],
  ["redirect-uri", "redirectUri"],
  ["client-id", "clientId"],
  ["scopes", "scopes"],
];

/** Nothing when none was given, so that it can be spread into a wish. */
export const ownEndpoints = ({ options: args }: ParsedArgs): { readonly endpoints?: EndpointWishes } => {
  const found = options.flatMap(([option, key]) => (typeof args[option] === "string" ? [[key, args[option]]] : []));
  return found.length === 0 ? {} : { endpoints: Object.fromEntries(found) as EndpointWishes };
};
