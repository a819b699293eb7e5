// Where a setting comes from, which source wins, and how mistakes are reported.
import * as fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Rate } from "../../src/config/kinds.ts";
import { loadConfig, valueOf } from "../../src/config/load.ts";
import type { Loaded, Sources } from "../../src/config/load.ts";
import { settingKeys } from "../../src/config/schema.ts";
import type { Config, SettingKey } from "../../src/config/schema.ts";
import { environmentName, fileValue, formatValue } from "../../src/config/text.ts";
import { anySetting } from "./any-setting.ts";

const nothing: Sources = { flags: [], set: [], environment: {}, file: null };
const load = (sources: Partial<Sources>): Loaded => loadConfig({ ...nothing, ...sources });
const path = "/home/me/config.json";

const loaded = (result: Loaded): Extract<Loaded, { ok: true }> => {
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result;
};

const problems = (result: Loaded): readonly string[] => (result.ok ? [] : result.problems);

const nested = (key: SettingKey, value: unknown): Record<string, unknown> => {
  const [section = "", name] = key.split(".");
  return name === undefined ? { [section]: value } : { [section]: { [name]: value } };
};

describe("precedence", () => {
  it("nothing given gives every documented default, each with its origin", () => {
    const { config, originOf } = loaded(load({}));
    expect(config.server).toMatchObject({ host: "127.0.0.1", port: 4001 });
    expect(config.rateLimit).toEqual({ api: null, auth: { count: 20, windowMs: 60_000 } });
    expect(config.log).toEqual({ level: "info", format: "text", file: null });
    expect(settingKeys.map((key) => originOf(key).from)).toEqual(settingKeys.map(() => "default"));
  });

  it("flag beats --set beats environment beats file beats default", () => {
    const file = { path, values: { server: { port: 1 } } };
    const environment = { CLAUDE_OAUTH_PROXY_SERVER__PORT: "2" };
    const set = ["server.port=3", "server.port=4"];
    const flags = [{ key: "server.port", name: "--port", text: "5" }] as const;
    const seen = [load({ file }), load({ file, environment }), load({ file, environment, set }), load({ file, environment, set, flags })].map(loaded);
    expect(seen.map(({ config }) => config.server.port)).toEqual([1, 2, 4, 5]);
    expect(seen.map(({ originOf }) => originOf("server.port"))).toEqual([
      { from: "file", path },
      { from: "environment", name: "CLAUDE_OAUTH_PROXY_SERVER__PORT" },
      { from: "flag", name: "--set" },
      { from: "flag", name: "--port" },
    ]);
  });

  it("a dotted key in the file is the same as a nested one", () => {
    expect(loaded(load({ file: { path, values: { "oauth.callback": false } } })).config.oauth.callback).toBe(false);
  });

  it("every key with any value it accepts is read back from environment, --set, flag and file alike", () => {
    fc.assert(
      fc.property(anySetting, ({ key, value }) => {
        const text = formatValue(key, value);
        const sources: readonly Partial<Sources>[] = [
          { environment: { [environmentName(key)]: text } },
          { set: [`${key}=${text}`] },
          { flags: [{ key, name: "--flag", text }] },
          { file: { path, values: nested(key, fileValue(key, value)) } },
        ];
        for (const source of sources) expect(valueOf(loaded(load(source)).config, key)).toEqual(value);
      }),
      { numRuns: 400 },
    );
  });

  it("rates and truth values are read in any case", () => {
    const { config } = loaded(load({ set: ["rateLimit.api=5/S", "rateLimit.auth=OFF", "oauth.callback=No"] }));
    expect([config.rateLimit, config.oauth.callback]).toEqual([{ api: { count: 5, windowMs: 1000 }, auth: null }, false]);
  });

  it("the statuses that are tried again are errors: 400 to 599", () => {
    expect(loaded(load({ set: ["retry.statuses=400,599"] })).config.retry.statuses).toEqual([400, 599]);
    expect(problems(load({ set: ["retry.statuses=399"] })).concat(problems(load({ set: ["retry.statuses=600"] })))).toHaveLength(2);
  });

  it("a model may have a name of Object.prototype, and no other model is found under one", () => {
    const { map } = loaded(load({ set: ['models.map={"__proto__":[{"model":"m"}]}'] })).config.models;
    expect([Object.keys(map ?? {}), map?.["__proto__"], map?.["constructor"]]).toEqual([["__proto__"], [{ model: "m" }], undefined]);
  });

  it("environment names are upper snake case with two underscores between sections, one for each key", () => {
    expect(environmentName("oauth.tokenUrl")).toBe("CLAUDE_OAUTH_PROXY_OAUTH__TOKEN_URL");
    expect(environmentName("rateLimit.api")).toBe("CLAUDE_OAUTH_PROXY_RATE_LIMIT__API");
    expect(environmentName("mode")).toBe("CLAUDE_OAUTH_PROXY_MODE");
    expect(new Set(settingKeys.map(environmentName)).size).toBe(settingKeys.length);
  });
});

describe("the type of the settings", () => {
  it("follows from the table: words, numbers, lists, and none where there is such a thing", () => {
    expectTypeOf<Config["mode"]>().toEqualTypeOf<"oauth" | "pass-through">();
    expectTypeOf<Config["server"]["port"]>().toEqualTypeOf<number>();
    expectTypeOf<Config["server"]["allowedHosts"]>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Config["upstream"]["proxy"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Config["rateLimit"]>().toEqualTypeOf<{ readonly api: Rate | null; readonly auth: Rate | null }>();
    expectTypeOf<keyof Config["ui"]>().toEqualTypeOf<"maxFps" | "notify">();
  });
});

describe("refusals", () => {
  it("an unknown key, variable or section is refused with what was probably meant", () => {
    expect(problems(load({ set: ["sever.port=1"] }))).toEqual(['"sever.port" from --set is not a setting (did you mean server.port?)']);
    expect(problems(load({ environment: { CLAUDE_OAUTH_PROXY_SERVER_PORT: "1" } }))).toEqual([
      "CLAUDE_OAUTH_PROXY_SERVER_PORT in the environment is not a setting (did you mean CLAUDE_OAUTH_PROXY_SERVER__PORT?)",
    ]);
    expect(problems(load({ file: { path, values: { banana: { split: 1 } } } }))).toEqual([`"banana" from the file ${path} is not a setting`]);
    expect(problems(load({ file: { path, values: { server: 4001 } } }))[0]).toContain('"server" from the file');
  });

  it("a short name may differ in two letters, a longer one in a quarter of them", () => {
    expect(problems(load({ set: ["mdoe=oauth"] }))[0]).toContain("did you mean mode?");
    expect(problems(load({ set: ["moods=oauth"] }))[0]).toContain("did you mean mode?");
    expect(problems(load({ set: ["server.prot=1"] }))[0]).toContain("did you mean server.port?");
    expect(problems(load({ set: ["mxyz=1"] }))[0]).not.toContain("did you mean");
  });

  it("variables of other programs are not looked at", () => {
    expect(load({ environment: { PATH: "/bin", CLAUDE_CODE_TOKEN: "x", claude_oauth_proxy_mode: "x" } }).ok).toBe(true);
  });

  it("the folder and the passphrase are variables of ours that are no settings", () => {
    expect(load({ environment: { CLAUDE_OAUTH_PROXY_DIR: "/x", CLAUDE_OAUTH_PROXY_PASSPHRASE: "y" } }).ok).toBe(true);
  });

  it.each([40, 41, 60, 100, 101, 1_000])("a key of %i characters that is none of ours is quoted only while it can be a typing mistake", (length) => {
    const key = `sk-ant-oat01-${"c".repeat(length)}`.slice(0, length);
    const named = length > 40 ? `a key of ${length} characters` : `"${key}"`;
    expect(problems(load({ set: [`${key}=1`] }))).toEqual([`${named} from --set is not a setting`]);
    expect(problems(load({ file: { path, values: { [key]: 1 } } }))).toEqual([`${named} from the file ${path} is not a setting`]);
  });

  it("names of Object.prototype are unknown keys, not values", () => {
    const values = JSON.parse('{"__proto__":{"mode":"oauth"},"constructor":1,"server":{"__proto__":1}}') as Record<string, unknown>;
    expect(problems(load({ file: { path, values } }))).toHaveLength(3);
    expect(problems(load({ set: ["toString=1"] }))).toHaveLength(1);
  });

  it.each([
    ["server.port=abc", "server.port from --set is a text of 3 characters; accepted: a whole number from 0 to 65535"],
    ["server.port=65536", "server.port from --set is a text of 5 characters; accepted"],
    ["server.port=1e3", "accepted: a whole number"],
    ["server.port=", "server.port from --set is an empty text"],
    ["auth.required=maybe", "accepted: true or false"],
    ["mode=passthrough", "accepted: oauth, pass-through"],
    ["rateLimit.api=20 per minute", "accepted: a rate such as 20/min, 5/s or 600/h, or off"],
    ["rateLimit.api=0/s", "accepted: a rate"],
    ["retry.statuses=429,20", "accepted: HTTP statuses"],
    ["server.allowedHosts=a,,b", "accepted: a list"],
    ["upstream.baseUrl=ftp://127.0.0.1", "accepted: an http(s) URL"],
    ["upstream.baseUrl= https://api.example.com", "accepted: an http(s) URL"],
    ["upstream.baseUrl=https://api.example.com ", "accepted: an http(s) URL"],
    ["oauth.tokenUrl= ", "accepted: an http(s) URL"],
    ["oauth.scopes=a\nb", "accepted: a text"],
    ["log.file=~/proxy.log", "only known to the shell"],
    ['models.map={"a":[]}', '"a" must be a list with at least one entry'],
    ['models.map={"a":[{"model":"m","weight":1}]}', 'entry 1: unknown field "weight"'],
    ['models.map={"a":[{"account":"m"}]}', "`model` must be a text"],
    ['models.map={"a":[{"model":"m","priority":"x"}]}', "`priority` must be a whole number"],
    ['models.map={"a":[{"model":"m","priority":1.5}]}', "`priority` must be a whole number"],
    ['models.map={"a":[{"model":"m","account":""}]}', "`account` must be a text"],
    ["models.map=[1]", "must be an object"],
    ["nonsense", 'a text of 8 characters without a key and "="'],
  ])("--set %s is refused", (pair, expected) => {
    expect(problems(load({ set: [pair] })).join("\n")).toContain(expected);
  });

  it("a text where the file wants a number is refused, and so is null where there is no none", () => {
    expect(problems(load({ file: { path, values: { server: { port: "4001", host: null } } } }))).toEqual([
      `server.port from the file ${path} is a text of 4 characters; accepted: a whole number from 0 to 65535`,
      `server.host from the file ${path} is null; accepted: a text`,
    ]);
  });

  it("all mistakes are reported at once, and none of them shows the value", () => {
    const canary = "sk-ant-oat01-canary-canary";
    const found = problems(load({ set: [`server.port=${canary}`, `mode=${canary}`, `log.level=${canary}`, canary], environment: { CLAUDE_OAUTH_PROXY_UPSTREAM__BASE_URL: canary } }));
    expect(found).toHaveLength(5);
    expect(found.join("\n")).not.toContain("canary");
  });
});
