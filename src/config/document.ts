// The settings as a Markdown table: the README's text, so that it cannot go stale.
import { environmentName, settingKeys } from "./names.ts";
import { settings } from "./schema.ts";
import { acceptedBy, displayValue } from "./value.ts";
import type { Setting, SettingKey } from "./schema.ts";

/** One row for each key: name, default, what is accepted, what it is for; the environment name below the key. */
export const settingsTable = (): string =>
  ["| key and environment name | default | accepted | what it is for |", "|---|---|---|---|", ...settingKeys.map(row)].join("\n");

const row = (key: SettingKey): string => {
  const { doc, fallback }: Setting = settings[key];
  const cells = [`\`${key}\`<br>\`${environmentName(key)}\``, code(defaultText(key, fallback)), acceptedBy(key), doc];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
};

// The table holds a rate as people write it; everything else is formatted from the value.
const defaultText = (key: SettingKey, fallback: unknown): string =>
  settings[key].kind.is === "rate" ? String(fallback ?? "off") : displayValue(key, fallback);

const code = (text: string): string => (text === "" ? "none" : `\`${text}\``);
