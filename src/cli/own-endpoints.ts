// The options of `login` and `add-key` that give an account addresses of its own.
import type { EndpointKey, EndpointWishes } from "../messages/commands.ts";
import type { Given } from "./world.ts";

const options: readonly (readonly [option: string, key: EndpointKey])[] = [
  ["base-url", "baseUrl"],
  ["token-url", "tokenUrl"],
  ["authorize-url", "authorizeUrl"],
  ["redirect-uri", "redirectUri"],
  ["client-id", "clientId"],
  ["scopes", "scopes"],
];

/** Nothing when none was given, so that it can be spread into a wish. */
export const ownEndpoints = ({ options: given }: Given): { readonly endpoints?: EndpointWishes } => {
  const found = options.flatMap(([option, key]) => (typeof given[option] === "string" ? [[key, given[option]]] : []));
  return found.length === 0 ? {} : { endpoints: Object.fromEntries(found) as EndpointWishes };
};
