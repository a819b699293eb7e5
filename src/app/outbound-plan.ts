// The way out as this program would take it, told without taking it: the same rules, no connection.
import type { Config } from "../config/schema.ts";
import { AppError } from "../messages/errors.ts";
import { createProxyRule, originOf } from "../proxy/outbound.ts";

/** `shown` never holds the proxy's user or password. */
export type OutboundPlan =
  | { readonly ok: true; readonly origin: string; readonly hop: { readonly shown: string; readonly source: string } | null }
  | { readonly ok: false; readonly message: string; readonly hint: string | null };

type Environment = Readonly<Record<string, string | undefined>>;

/** What `upstream.baseUrl` would be reached through. Never throws. */
export const outboundPlan = ({ baseUrl, proxy }: Pick<Config["upstream"], "baseUrl" | "proxy">, env: Environment): OutboundPlan => {
  try {
    const origin = originOf(baseUrl);
    const { hostname, port, protocol } = new URL(origin);
    const hop = createProxyRule(proxy, env)(hostname, port === "" ? (protocol === "https:" ? 443 : 80) : Number(port));
    return { ok: true, origin, hop: hop === null ? null : { shown: hop.shown, source: hop.source } };
  } catch (error) {
    const known = error instanceof AppError ? error : null;
    return { ok: false, message: known?.message ?? "The outbound settings cannot be read.", hint: known?.hint ?? null };
  }
};

/** Would requests to `hostname`:`port` bypass the proxy by `NO_PROXY` alone, as most clients read it? */
export const exemptByNoProxy = (list: string, hostname: string): boolean =>
  list.split(/[\s,]+/).some((entry) => {
    const name = entry.toLowerCase().replace(/^\*?\.|[[\]]/g, "").replace(/(?<!:):\d+$/, "");
    return entry === "*" || name === hostname;
  });
