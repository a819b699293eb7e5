// Any setting with any value that its kind accepts and that contradicts no other setting's default.
import * as fc from "fast-check";
import { settingKeys } from "../../src/config/names.ts";
import { settings } from "../../src/config/schema.ts";
import type { Kind, Setting, SettingKey } from "../../src/config/schema.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,12}$/);
const url = fc.tuple(name, fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `https://${host}.example:${port}`);

const arbitraries: { readonly [Is in Kind["is"]]: (kind: Extract<Kind, { is: Is }>) => fc.Arbitrary<unknown> } = {
  text: () => name,
  url: () => url,
  path: () => name.map((part) => `/var/log/${part} with blanks,and=signs`),
  boolean: () => fc.boolean(),
  integer: ({ min, max }) => fc.integer({ min, max }),
  "one-of": ({ values }) => fc.constantFrom(...values),
  list: () => fc.array(name, { maxLength: 4 }),
  integers: () => fc.array(fc.integer({ min: 400, max: 599 }), { maxLength: 4 }),
  rate: () => fc.option(fc.record({ count: fc.integer({ min: 1, max: 9_999_999 }), windowMs: fc.constantFrom(1000, 60_000, 3_600_000) })),
  "model-map": () => fc.dictionary(fc.string({ maxLength: 8 }), fc.array(route, { minLength: 1, maxLength: 3 })),
};

const route = fc.record({ model: name, account: name, priority: fc.integer() }, { requiredKeys: ["model"] });

const ofKind = (kind: Kind): fc.Arbitrary<unknown> => (arbitraries[kind.is] as (kind: Kind) => fc.Arbitrary<unknown>)(kind);

const special: Partial<Record<SettingKey, fc.Arbitrary<unknown>>> = {
  "server.allowedOrigins": fc.array(url, { maxLength: 3 }),
};

export const anySetting: fc.Arbitrary<{ key: SettingKey; value: unknown }> = fc.constantFrom(...settingKeys).chain((key) => {
  const { kind, fallback }: Setting = settings[key];
  const value = special[key] ?? ofKind(kind);
  return (fallback === null ? fc.option(value) : value).map((chosen) => ({ key, value: chosen }));
});
