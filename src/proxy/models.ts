// The configured names of models: which model and which account serve a request. Pure. Only the bytes of
// the `model` value are replaced; without a configured route no body is parsed.
import { findMember } from "./json-member.ts";
import type { Span } from "./json-member.ts";

/** One way a model name may be served (see `models.map`). */
export type ModelRoute = { readonly model: string; readonly account?: string; readonly priority?: number };

export type ModelSettings = { readonly default: string | null; readonly map: Readonly<Record<string, readonly ModelRoute[]>> | null };

/** What the settings say about one body. */
export type ModelPlan = {
  /** Best first; empty when the body goes through as it is. */
  readonly routes: readonly ModelRoute[];
  /** The body with the model of `route`; the same object when that is what was asked for. */
  apply(route: ModelRoute): Buffer;
};

/** Is there anything to map? If not, bodies are streamed unread. */
export const mapsModels = (models: ModelSettings): boolean => models.default !== null || (models.map !== null && Object.keys(models.map).length > 0);

/** The routes for the model that `body` asks for: lowest priority number first, then in the order written. */
export const planModel = (body: Buffer, models: ModelSettings): ModelPlan => {
  const spans = findMember(body, "model") ?? [];
  // JSON readers take the last of two equal names.
  const last = spans.at(-1);
  const asked = last === undefined ? null : textAt(body, last);
  return {
    routes: asked === null ? [] : routesFor(asked, models),
    apply: (route) => (route.model === asked && spans.length === 1 ? body : replaced(body, spans, route.model)),
  };
};

const textAt = (body: Buffer, { start, end }: Span): string | null => {
  try {
    const value: unknown = JSON.parse(body.toString("utf8", start, end));
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
};

const routesFor = (asked: string, { map, default: fallback }: ModelSettings): readonly ModelRoute[] => {
  const routes = map !== null && Object.hasOwn(map, asked) ? map[asked] : undefined;
  if (routes !== undefined && routes.length > 0) return routes.toSorted((left, right) => (left.priority ?? 1) - (right.priority ?? 1));
  return fallback === null ? [] : [{ model: fallback }];
};

const replaced = (body: Buffer, spans: readonly Span[], model: string): Buffer => {
  const value = Buffer.from(JSON.stringify(model));
  const parts: Buffer[] = [];
  let from = 0;
  for (const span of spans) {
    parts.push(body.subarray(from, span.start), value);
    from = span.end;
  }
  return Buffer.concat([...parts, body.subarray(from)]);
};

const glanceBytes = 256;
const modelFirst = /^\s*\{\s*(?:"(?:max_tokens|stream)"\s*:\s*[\w.]+\s*,\s*)*"model"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{1,100})"/;

/**
 * The model that a request asks for, read from the first bytes of its body (`head`); null when it does not come first
 * (clients write it first) or is not plain ASCII. Only shown, never acted on.
 */
export const modelAsked = (head: Buffer | null): string | null =>
  head === null ? null : (modelFirst.exec(head.toString("latin1", 0, Math.min(glanceBytes, head.length)))?.[1] ?? null);
