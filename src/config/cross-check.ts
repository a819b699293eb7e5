// Conflicts between settings that are each fine and together dangerous or useless.
import { isLoopback } from "../lib/host.ts";
import type { Config, SettingKey } from "./schema.ts";

type OriginText = (key: SettingKey) => string;

/** One sentence for each conflict, naming key and origin. */
export const crossCheck = (config: Config, originOf: OriginText): readonly string[] => [
  ...openHost(config, originOf),
  ...credentialUrls(config).flatMap(([key, url]) => insecureUrl(key, url, originOf)),
  ...credentialUrls(config).flatMap(([key, url]) => urlWithPassword(key, url, originOf)),
  ...baseUrl(config, originOf),
  ...host(config, originOf),
  ...config.server.allowedOrigins.flatMap((origin) => wrongOrigin(origin, originOf)),
  ...config.server.allowedHosts.flatMap((name) => wrongHost(name, originOf)),
];

const unless = (fine: boolean, problem: string): readonly string[] => (fine ? [] : [problem]);

// Without a key, every machine in the network could spend the subscription.
const openHost = ({ server, auth }: Config, originOf: OriginText) =>
  unless(
    auth.required || isLoopback(server.host),
    `server.host from ${originOf("server.host")} is not loopback, and auth.required from ${originOf("auth.required")} is false: everybody in the network could use it; accepted: auth.required=true, or a loopback server.host`,
  );

// Everywhere a credential travels or comes from; an outbound proxy is not among them, it only sees TLS.
const credentialUrls = ({ oauth, upstream }: Config): readonly (readonly [SettingKey, URL])[] => [
  ["upstream.baseUrl", new URL(upstream.baseUrl)],
  ["oauth.authorizeUrl", new URL(oauth.authorizeUrl)],
  ["oauth.consoleAuthorizeUrl", new URL(oauth.consoleAuthorizeUrl)],
  ["oauth.tokenUrl", new URL(oauth.tokenUrl)],
  ["oauth.redirectUri", new URL(oauth.redirectUri)],
];

const insecureUrl = (key: SettingKey, url: URL, originOf: OriginText) =>
  unless(
    url.protocol !== "http:" || isLoopback(url.hostname),
    `${key} from ${originOf(key)} is an http: URL to another machine, which would carry credentials in the clear; accepted: https:, or http: to loopback`,
  );

// They would end up in links and logs.
const urlWithPassword = (key: SettingKey, url: URL, originOf: OriginText) =>
  unless(
    url.username === "" && url.password === "",
    `${key} from ${originOf(key)} has a user name or password in it; accepted: a URL without them`,
  );

// Requests go to a fixed origin; their target is never joined with a path of ours.
const baseUrl = ({ upstream }: Config, originOf: OriginText) => {
  const { pathname, search, hash } = new URL(upstream.baseUrl);
  return unless(
    pathname === "/" && search === "" && hash === "",
    `upstream.baseUrl from ${originOf("upstream.baseUrl")} has a path, query or fragment; accepted: scheme, host and port only`,
  );
};

const hostName = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i;
const address6 = /^\[?(?=[0-9a-f.]*:)[0-9a-f:.]+(%[a-z0-9]+)?\]?$/i;

const host = ({ server }: Config, originOf: OriginText) =>
  unless(
    hostName.test(server.host) || address6.test(server.host),
    `server.host from ${originOf("server.host")} is not a host name or address; accepted: a name or an IP address, without scheme and port`,
  );

const wrongOrigin = (origin: string, originOf: OriginText) =>
  unless(
    /^https?:/.test(origin) && URL.parse(origin)?.origin === origin,
    `server.allowedOrigins from ${originOf("server.allowedOrigins")} has an entry that is not a web origin; accepted: entries such as https://example.com:8443, no path, no *`,
  );

const wrongHost = (name: string, originOf: OriginText) =>
  unless(
    hostName.test(name.replace(/:\d{1,5}$/, "")) || address6.test(name.replace(/\]:\d{1,5}$/, "]")),
    `server.allowedHosts from ${originOf("server.allowedHosts")} has an entry that is not a host name; accepted: names such as box.example:4001, no scheme, no *`,
  );
