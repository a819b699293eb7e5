// The preferences file and what was set by environment and flags; and settings by which the program does
// alter a request although it is transparent otherwise. Pure.
import type { Config } from "../config/schema.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type SettingsWish = { readonly path: string; readonly exists: boolean; readonly problems: readonly string[]; readonly config: Config };

export const settingsChecks = ({ path, exists, problems, config }: SettingsWish): readonly Finding[] => [
  ...(problems.length === 0
    ? [ok("settings", exists ? `${path}: every value is understood` : "no preferences file: defaults, environment and flags")]
    : problems.map((sentence) => problem("settings", sentence, "Repair it: the program does not start with it. The checks below go on without."))),
  ...alterations(config),
];

const alterations = ({ models, retry }: Config): readonly Finding[] => [
  ...(models.map === null && models.default === null ? [] : [warning("models.map", "the model's name in a request is replaced where the map says so", "Unset models.map and models.default to leave every body as it is.")]),
  ...(retry.statuses.length === 0 ? [] : [warning("retry.statuses", `answers with ${retry.statuses.join(", ")} are asked for again before the client sees them`, "Unset retry.statuses: the clients retry by themselves.")]),
];
