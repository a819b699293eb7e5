// The rules for going out: which base URLs are allowed, and which connections go through an outbound
// proxy. Pure; `upstream.ts` acts on it. A bearer token must never travel unencrypted beyond loopback.
import { isLoopback } from "../lib/host.ts";
import { Secret, secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";

/** The outbound proxy for one connection. */
export type ProxyHop = {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** `http://host:port`, without the credentials. */
  readonly shown: string;
  /** Value for `Proxy-Authorization`. */
  readonly authorization: Secret | null;
  /** The password, alone and behind the user's name. */
  readonly secrets: readonly Secret[];
  /** The variable or the setting that named it, for messages. */
  readonly source: string;
};

/** Null: connect directly. */
export type ProxyRule = (hostname: string, port: number) => ProxyHop | null;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The origin of a base URL (`https://api.anthropic.com`). Throws `bad-config` for anything that is not a bare
 * http(s) origin (targets are never joined to a path), `unsafe-settings` for `http:` beyond loopback.
 */
export const checkedOrigin = (baseUrl: string): string => {
  const url = parsedHttp(baseUrl);
  if (url === null) {
    throw new AppError({ code: "bad-config", message: "The upstream base URL is not an http(s) URL.", hint: "Set upstream.baseUrl to an origin such as https://api.anthropic.com." });
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw new AppError({ code: "bad-config", message: `The upstream base URL must be an origin without path, query or user: ${url.origin}.`, hint: "Paths go through as the client sends them." });
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new AppError({ code: "unsafe-settings", message: `The upstream ${url.origin} is not encrypted.`, hint: "Use https:; http: is for loopback only." });
  }
  return url.origin;
};

/** Refuses to run with certificate checks switched off (`NODE_TLS_REJECT_UNAUTHORIZED=0`). */
export const refuseUncheckedTls = (env: Environment): void => {
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new AppError({
    code: "unsafe-settings",
    message: "NODE_TLS_REJECT_UNAUTHORIZED=0 would send the token to an unchecked server.",
    hint: "Unset it; name your own certificate authority with upstream.caFile.",
  });
};

/**
 * The setting wins over `https_proxy` and `HTTPS_PROXY`; `no_proxy`/`NO_PROXY` hold for each of them, and
 * loopback is never proxied. Throws `bad-config` for a proxy that is not `http:` or `https:`.
 */
export const createProxyRule = (setting: string | null, env: Environment): ProxyRule => {
  const hop = chosenHop(setting, env);
  if (hop === null) return () => null;
  const exceptions = (env["no_proxy"] ?? env["NO_PROXY"] ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  return (hostname, port) => (isLoopback(hostname) || exceptions.some((entry) => covers(entry, hostname, port)) ? null : hop);
};

/** What no text may quote of the outbound proxy. Throws as `createProxyRule` does. */
export const outboundSecrets = (setting: string | null, env: Environment): readonly Secret[] => chosenHop(setting, env)?.secrets ?? [];

const chosenHop = (setting: string | null, env: Environment): ProxyHop | null => {
  if (setting !== null && setting !== "") return hopOf(setting, "upstream.proxy");
  for (const name of ["https_proxy", "HTTPS_PROXY"]) {
    const value = env[name];
    if (value !== undefined && value !== "") return hopOf(value, name);
  }
  return null;
};

const hopOf = (text: string, source: string): ProxyHop => {
  const url = parsedHttp(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null) {
    throw new AppError({ code: "bad-config", message: `${source} does not name an http: or https: proxy.`, hint: "For example http://proxy.example:3128." });
  }
  const secure = url.protocol === "https:";
  return {
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    shown: url.origin,
    ...credentialsOf(url, source),
    source,
  };
};

const credentialsOf = (url: URL, source: string): Pick<ProxyHop, "authorization" | "secrets"> => {
  if (url.username === "") return { authorization: null, secrets: [] };
  try {
    const password = decodeURIComponent(url.password);
    const both = `${decodeURIComponent(url.username)}:${password}`;
    return { authorization: secret(`Basic ${Buffer.from(both).toString("base64")}`), secrets: [secret(password), secret(both)] };
  } catch {
    throw new AppError({ code: "bad-config", message: `The user name or the password in ${source} has a % that is no escape.`, hint: "Write a percent sign as %25." });
  }
};

// As curl reads it: `*`, a host, a domain with all below it, each optionally with a port.
const covers = (entry: string, hostname: string, port: number): boolean => {
  if (entry === "*") return true;
  // Bare IPv6 addresses have colons of their own; with a port they stand in brackets.
  const [, name = entry, wanted] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && Number(wanted) !== port) return false;
  const domain = name.toLowerCase().replace(/^\*?\.|[[\]]/g, "");
  return domain !== "" && (hostname === domain || hostname.endsWith(`.${domain}`));
};

const parsedHttp = (text: string): URL | null => {
  const url = URL.parse(text);
  return url?.protocol === "https:" || url?.protocol === "http:" ? url : null;
};
