// Every setting once: key, kind, default, what it is for. Everything else follows from this table: the type of the
// settings, their checks, the environment names, `config list` and the README's table.
import { boolean, integer, list, modelMap, oneOf, orNone, path, rate, rateOrNone, statuses, text, url } from "./kinds.ts";
import type { Kind } from "./kinds.ts";

export type Setting<Value> = {
  readonly kind: Kind<Value>;
  readonly fallback: Value;
  readonly doc: string;
  /** The value may hold a secret: then it is not kept in the file, and no child process gets its variable. */
  readonly mayHoldSecret: boolean;
};

const setting = <Value>(kind: Kind<Value>, fallback: NoInfer<Value>, doc: string, { mayHoldSecret = false } = {}): Setting<Value> => ({ kind, fallback, doc, mayHoldSecret });

const week = 7 * 24 * 3600;

const table = {
  mode: setting(oneOf("oauth", "pass-through"), "oauth", "`oauth`: this program holds the credentials. `pass-through`: the client keeps its own login; nothing is stored, only observed"),
  "server.host": setting(text, "127.0.0.1", "address to listen on; anything but loopback needs `auth.required`"),
  "server.port": setting(integer(0, 65_535), 4001, "port to listen on; 0 takes any free one"),
  "server.allowedHosts": setting(list, [], "further Host names that may be used"),
  "server.allowedOrigins": setting(list, [], "web origins that may call (CORS)"),
  "server.maxBodyBytes": setting(integer(1024, 2 ** 40), 67_108_864, "largest request body, bytes"),
  "server.drainSeconds": setting(integer(0, 3600), 10, "how long open streams may finish when stopping"),
  "auth.required": setting(boolean, true, "every request needs the local key (default off in `pass-through` mode on loopback)"),
  "oauth.clientId": setting(text, "9d1c250a-e61b-44d9-88ed-5944d1962f5e", "OAuth client id"),
  "oauth.authorizeUrl": setting(url, "https://claude.ai/oauth/authorize", "authorize page for a subscription"),
  "oauth.consoleAuthorizeUrl": setting(url, "https://platform.claude.com/oauth/authorize", "authorize page for `login --console`"),
  "oauth.tokenUrl": setting(url, "https://platform.claude.com/v1/oauth/token", "token endpoint"),
  "oauth.redirectUri": setting(url, "https://platform.claude.com/oauth/code/callback", "redirect of the link that is pasted"),
  "oauth.scopes": setting(text, "org:create_api_key user:profile user:inference", "scopes asked for"),
  "oauth.callback": setting(boolean, true, "the page opened on this machine comes back to `http://localhost:PORT/callback`"),
  "oauth.refreshLeadSeconds": setting(integer(0, week), 300, "refresh this long before expiry"),
  "oauth.refreshMandatorySeconds": setting(integer(0, week), 60, "a request waits for the refresh inside this window"),
  "oauth.sweepSeconds": setting(integer(1, 3600), 30, "how often the wall clock is looked at"),
  "oauth.rotateAfterHours": setting(integer(0, 24 * 365), 0, "refresh at least this often; 0 only when needed"),
  "upstream.baseUrl": setting(url, "https://api.anthropic.com", "where requests go; `http:` only to loopback"),
  "upstream.connectTimeoutMs": setting(integer(1, 600_000), 10_000, "limit for a new connection"),
  "upstream.headersTimeoutMs": setting(integer(1, 86_400_000), 600_000, "limit until the response headers"),
  "upstream.bodyIdleTimeoutMs": setting(integer(0, 86_400_000), 0, "limit between two bytes of a body; 0 is off"),
  "upstream.proxy": setting(orNone(url), null, "outbound proxy; else `HTTPS_PROXY` and `NO_PROXY`; loopback is never proxied", { mayHoldSecret: true }),
  "upstream.caFile": setting(orNone(path), null, "PEM file with further certificate authorities"),
  "upstream.connections": setting(integer(1, 65_535), 256, "largest number of upstream connections kept for plain requests"),
  "upstream.silenceSeconds": setting(integer(0, 86_400), 900, "a stream silent for this long is broken off; pings count as life; 0 is off"),
  "accounts.strategy": setting(oneOf("round-robin", "priority"), "round-robin", "how the account of a request is chosen"),
  "accounts.sticky": setting(boolean, true, "one session stays on one account while that is healthy"),
  "retry.maxRetries": setting(integer(0, 10), 3, "further tries after a connection failure before the first byte"),
  "retry.delayMs": setting(integer(0, 60_000), 1000, "pause before the first of them; it doubles. After a refused connection all of them happen within this time"),
  "retry.statuses": setting(statuses, [], "upstream statuses that are tried again too (the clients already do)"),
  "rateLimit.api": setting(rateOrNone, null, "limit for `/v1/*` per peer, such as `600/min`; `off`"),
  "rateLimit.auth": setting(rate, { count: 20, windowMs: 60_000 }, "limit for the sign-in calls per peer"),
  "models.default": setting(orNone(text), null, "model sent when `models.map` has no entry for the one asked for"),
  "models.map": setting(orNone(modelMap), null, '`{"name":[{"model":"…","account":"…","priority":1}]}`'),
  "storage.encryption": setting(oneOf("none", "passphrase", "keyring"), "none", "how `accounts.json` is sealed; once it is, it stays so until `none` is given"),
  "log.level": setting(oneOf("info", "debug", "warn", "error", "silent"), "info", "least important line that is written"),
  "log.format": setting(oneOf("text", "json"), "text", "one line of text or of JSON per event"),
  "log.file": setting(orNone(path), null, "write the log here too"),
  "ui.maxFps": setting(integer(1, 20), 4, "most frames a second"),
  "ui.notify": setting(oneOf("bell", "none", "osc9"), "bell", "how to call a person who is needed"),
  "terms.accepted": setting(boolean, false, "the notice about the provider's terms was answered; asked once, at the first sign-in"),
};

export type SettingKey = keyof typeof table;

/** The value of each setting, by its key. */
type Values = { readonly [Key in SettingKey]: (typeof table)[Key]["fallback"] };

export const settings: { readonly [Key in SettingKey]: Setting<Values[Key]> } = table;

/** True for a key of the table; names of `Object.prototype` are not. */
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(settings, key);

/** Every key, in the order of the table. */
export const settingKeys: readonly SettingKey[] = Object.keys(settings).filter(isSettingKey);

/** `server.port` as its section and its name there; a key without a section has no name. */
export const splitKey = (key: string): readonly [section: string, name: string | undefined] => {
  const [section = "", name] = key.split(".");
  return [section, name];
};

type SectionOf<Key extends string> = Key extends `${infer Section}.${string}` ? Section : Key;
type NameIn<Section extends string, Key extends string> = Key extends `${Section}.${infer Name}` ? Name : never;

/** The settings after every source was read: `config.mode`, `config.server.port`. */
export type Config = {
  readonly [Section in SectionOf<SettingKey>]: Section extends SettingKey
    ? Values[Section]
    : { readonly [Key in SettingKey as NameIn<Section, Key>]: Values[Key] };
};

/** Where a value came from, for messages and `config list`. */
export type Origin =
  | { readonly from: "default" }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "environment"; readonly name: string }
  | { readonly from: "flag"; readonly name: string };
