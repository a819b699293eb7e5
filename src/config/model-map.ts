// The one setting with a shape of its own: `{"name":[{"model":"…","account":"…","priority":1}]}`.
import { isObject } from "../lib/json.ts";
import type { ModelRoute } from "./schema.ts";

type ModelMap = Readonly<Record<string, readonly ModelRoute[]>>;

/** The checked map, or a sentence that says where it is wrong (names only, never values). */
export const readModelMap = (value: unknown): { readonly map: ModelMap } | { readonly wrong: string } => {
  if (!isObject(value)) return { wrong: "the outermost value must be an object" };
  // No prototype: `__proto__` and `constructor` are ordinary model names here.
  const map = Object.create(null) as Record<string, readonly ModelRoute[]>;
  for (const [name, routes] of Object.entries(value)) {
    const read = readRoutes(name, routes);
    if ("wrong" in read) return read;
    map[name] = read.routes;
  }
  return { map };
};

const readRoutes = (name: string, routes: unknown): { readonly routes: readonly ModelRoute[] } | { readonly wrong: string } => {
  if (!Array.isArray(routes) || routes.length === 0) return { wrong: `"${name.slice(0, 60)}" must be a list with at least one entry` };
  for (const [index, route] of routes.entries()) {
    const fault = faultOfRoute(route);
    if (fault !== null) return { wrong: `"${name.slice(0, 60)}", entry ${index + 1}: ${fault}` };
  }
  return { routes: routes as readonly ModelRoute[] };
};

const faultOfRoute = (route: unknown): string | null => {
  if (!isObject(route)) return "must be an object";
  const unknown = Object.keys(route).find((field) => !["model", "account", "priority"].includes(field));
  if (unknown !== undefined) return `unknown field "${unknown.slice(0, 60)}"`;
  const { model, account, priority } = route;
  if (typeof model !== "string" || model === "") return "`model` must be a text";
  if (account !== undefined && (typeof account !== "string" || account === "")) return "`account` must be a text";
  return priority === undefined || Number.isSafeInteger(priority) ? null : "`priority` must be a whole number";
};
