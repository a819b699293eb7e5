// Every setting once: key, type, default, what it is for. The README's table, `config list`, the
// environment names and the checks all come from here.

/** How a value is read and checked. */
export type Kind =
  | { readonly is: "text" }
  | { readonly is: "url" }
  | { readonly is: "path" }
  | { readonly is: "boolean" }
  | { readonly is: "integer"; readonly min: number; readonly max: number }
  | { readonly is: "one-of"; readonly values: readonly string[] }
  | { readonly is: "list" }
  | { readonly is: "integers" }
  | { readonly is: "rate" }
  | { readonly is: "model-map" };

export type Setting = { readonly kind: Kind; readonly fallback: unknown; readonly doc: string };

const setting = (kind: Kind, fallback: unknown, doc: string): Setting => ({ kind, fallback, doc });
const text = (fallback: string | null, doc: string) => setting({ is: "text" }, fallback, doc);
const url = (fallback: string | null, doc: string) => setting({ is: "url" }, fallback, doc);
const path = (doc: string) => setting({ is: "path" }, null, doc);
const flag = (fallback: boolean, doc: string) => setting({ is: "boolean" }, fallback, doc);
const oneOf = (values: readonly [string, ...string[]], doc: string) => setting({ is: "one-of", values }, values[0], doc);
const integer = (fallback: number, [min, max]: readonly [number, number], doc: string) =>
  setting({ is: "integer", min, max }, fallback, doc);

const week = 7 * 24 * 3600;

export const settings = {
  mode: oneOf(["oauth", "pass-through"], "`oauth`: this program holds the credentials. `pass-through`: the client keeps its own login; nothing is stored, only observed"),
  "server.host": text("127.0.0.1", "address to listen on; anything but loopback needs `auth.required`"),
  "server.port": integer(4001, [0, 65_535], "port to listen on; 0 takes any free one"),
  "server.allowedHosts": setting({ is: "list" }, [], "further Host names that may be used"),
  "server.allowedOrigins": setting({ is: "list" }, [], "web origins that may call (CORS)"),
  "server.maxBodyBytes": integer(67_108_864, [1024, 2 ** 40], "largest request body, bytes"),
  "server.drainSeconds": integer(10, [0, 3600], "how long open streams may finish when stopping"),
  "auth.required": flag(true, "every request needs the local key (default off in `pass-through` mode on loopback)"),
  "oauth.clientId": text("9d1c250a-e61b-44d9-88ed-5944d1962f5e", "OAuth client id"),
  "oauth.authorizeUrl": url("https://claude.ai/oauth/authorize", "authorize page for a subscription"),
  "oauth.consoleAuthorizeUrl": url("https://platform.claude.com/oauth/authorize", "authorize page for `login --console`"),
  "oauth.tokenUrl": url("https://platform.claude.com/v1/oauth/token", "token endpoint"),
  "oauth.redirectUri": url("https://platform.claude.com/oauth/code/callback", "redirect of the link that is pasted"),
  "oauth.scopes": text("org:create_api_key user:profile user:inference", "scopes asked for"),
  "oauth.callback": flag(true, "the page opened on this machine comes back to `http://localhost:PORT/callback`"),
  "oauth.refreshLeadSeconds": integer(300, [0, week], "refresh this long before expiry"),
  "oauth.refreshMandatorySeconds": integer(60, [0, week], "a request waits for the refresh inside this window"),
  "oauth.sweepSeconds": integer(30, [1, 3600], "how often the wall clock is looked at"),
  "oauth.rotateAfterHours": integer(0, [0, 24 * 365], "refresh at least this often; 0 only when needed"),
  "upstream.baseUrl": url("https://api.anthropic.com", "where requests go; `http:` only to loopback"),
  "upstream.connectTimeoutMs": integer(10_000, [1, 600_000], "limit for a new connection"),
  "upstream.headersTimeoutMs": integer(600_000, [1, 86_400_000], "limit until the response headers"),
  "upstream.bodyIdleTimeoutMs": integer(0, [0, 86_400_000], "limit between two bytes of a body; 0 is off"),
  "upstream.proxy": url(null, "outbound proxy; else `HTTPS_PROXY` and `NO_PROXY`; loopback is never proxied"),
  "upstream.caFile": path("PEM file with further certificate authorities"),
  "upstream.connections": integer(256, [1, 65_535], "largest number of upstream connections kept for plain requests"),
  "upstream.silenceSeconds": integer(900, [0, 86_400], "a stream silent for this long is broken off; pings count as life; 0 is off"),
  "accounts.strategy": oneOf(["round-robin", "priority"], "how the account of a request is chosen"),
  "accounts.sticky": flag(true, "one session stays on one account while that is healthy"),
  "retry.maxRetries": integer(3, [0, 10], "further tries after a connection failure before the first byte"),
  "retry.delayMs": integer(1000, [0, 60_000], "pause before the first of them; it doubles. After a refused connection all of them happen within this time"),
  "retry.statuses": setting({ is: "integers" }, [], "upstream statuses that are tried again too (the clients already do)"),
  "rateLimit.api": setting({ is: "rate" }, null, "limit for `/v1/*` per peer, such as `600/min`; `off`"),
  "rateLimit.auth": setting({ is: "rate" }, "20/min", "limit for the sign-in calls per peer"),
  "models.default": text(null, "model sent when `models.map` has no entry for the one asked for"),
  "models.map": setting({ is: "model-map" }, null, '`{"name":[{"model":"…","account":"…","priority":1}]}`'),
  "storage.encryption": oneOf(["none", "passphrase", "keyring"], "how `accounts.json` is sealed"),
  "log.level": oneOf(["info", "debug", "warn", "error", "silent"], "least important line that is written"),
  "log.format": oneOf(["text", "json"], "one line of text or of JSON per event"),
  "log.file": path("write the log here too"),
  "ui.maxFps": integer(4, [1, 20], "most frames a second"),
  "ui.notify": oneOf(["bell", "none", "osc9"], "how to call a person who is needed"),
  "terms.accepted": flag(false, "the notice about the provider's terms was answered; asked once, at the first sign-in"),
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof settings;

/** One way a model name may be served. */
export type ModelRoute = { readonly model: string; readonly account?: string; readonly priority?: number };

/** `count` requests in `windowMs`. */
export type Rate = { readonly count: number; readonly windowMs: number };

/** The settings after every source was read; one field per key of `settings`. */
export type Config = {
  readonly mode: "oauth" | "pass-through";
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly allowedHosts: readonly string[];
    readonly allowedOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly drainSeconds: number;
  };
  readonly auth: { readonly required: boolean };
  readonly oauth: {
    readonly clientId: string;
    readonly authorizeUrl: string;
    readonly consoleAuthorizeUrl: string;
    readonly tokenUrl: string;
    readonly redirectUri: string;
    readonly scopes: string;
    readonly callback: boolean;
    readonly refreshLeadSeconds: number;
    readonly refreshMandatorySeconds: number;
    readonly sweepSeconds: number;
    readonly rotateAfterHours: number;
  };
  readonly upstream: {
    readonly baseUrl: string;
    readonly connectTimeoutMs: number;
    readonly headersTimeoutMs: number;
    readonly bodyIdleTimeoutMs: number;
    readonly proxy: string | null;
    readonly caFile: string | null;
    readonly connections: number;
    readonly silenceSeconds: number;
  };
  readonly accounts: { readonly strategy: "round-robin" | "priority"; readonly sticky: boolean };
  readonly retry: { readonly maxRetries: number; readonly delayMs: number; readonly statuses: readonly number[] };
  readonly rateLimit: { readonly api: Rate | null; readonly auth: Rate | null };
  readonly models: { readonly default: string | null; readonly map: Readonly<Record<string, readonly ModelRoute[]>> | null };
  readonly storage: { readonly encryption: "none" | "passphrase" | "keyring" };
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" | "silent"; readonly format: "text" | "json"; readonly file: string | null };
  readonly ui: { readonly maxFps: number; readonly notify: "none" | "bell" | "osc9" };
  readonly terms: { readonly accepted: boolean };
};

/** Where a value came from, for messages and `config list`. */
export type Origin =
  | { readonly from: "default" }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "environment"; readonly name: string }
  | { readonly from: "flag"; readonly name: string };

export type Origins = Readonly<Record<SettingKey, Origin>>;
