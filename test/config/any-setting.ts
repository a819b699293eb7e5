// Any setting with any value that its kind accepts and that contradicts no other setting's default.
import * as fc from "fast-check";
import { settingKeys, settings } from "../../src/config/schema.ts";
import type { SettingKey } from "../../src/config/schema.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,12}$/);
const url = fc.tuple(name, fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `https://${host}.example:${port}`);
const route = fc.record({ model: name, account: name, priority: fc.integer() }, { requiredKeys: ["model"] });

/** By the name of the kind; bounds and words are those that its message names. */
const arbitraries: Readonly<Record<string, (accepted: string) => fc.Arbitrary<unknown>>> = {
  text: () => name,
  url: () => url,
  path: () => name.map((part) => `/var/log/${part} with blanks,and=signs`),
  boolean: () => fc.boolean(),
  integer(accepted) {
    const [min = 0, max = 0] = (accepted.match(/\d+/g) ?? []).map(Number);
    return fc.integer({ min, max });
  },
  "one-of": (accepted) => fc.constantFrom(...accepted.split(", ")),
  list: () => fc.array(name, { maxLength: 4 }),
  statuses: () => fc.array(fc.integer({ min: 400, max: 599 }), { maxLength: 4 }),
  rate: () => fc.option(fc.record({ count: fc.integer({ min: 1, max: 9_999_999 }), windowMs: fc.constantFrom(1000, 60_000, 3_600_000) })),
  "model-map": () => fc.dictionary(fc.string({ maxLength: 8 }), fc.array(route, { minLength: 1, maxLength: 3 })),
};

const special: Partial<Record<SettingKey, fc.Arbitrary<unknown>>> = {
  "server.allowedOrigins": fc.array(url, { maxLength: 3 }),
};

export const anySetting: fc.Arbitrary<{ key: SettingKey; value: unknown }> = fc.constantFrom(...settingKeys).chain((key) => {
  const { kind, fallback } = settings[key];
  const value = special[key] ?? arbitraries[kind.name]?.(kind.accepted);
  if (value === undefined) throw new Error(`no values are made for the kind ${kind.name}`);
  return (fallback === null ? fc.option(value) : value).map((chosen) => ({ key, value: chosen }));
});
