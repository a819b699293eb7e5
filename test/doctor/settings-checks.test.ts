import { expect, it } from "vitest";
import { settingsChecks } from "../../src/doctor/settings-checks.ts";
import { settingsOf } from "../helpers/running-app.ts";

const check = (set: readonly string[] = [], problems: readonly string[] = []) => settingsChecks({ path: "/data/config.json", exists: true, problems, config: settingsOf(set) });

it("every wrong value is a problem of its own", () => {
  expect(check()).toMatchObject([{ status: "ok" }]);
  expect(check([], ["a is wrong", "b is wrong"])).toMatchObject([{ status: "problem", found: "a is wrong" }, { status: "problem", found: "b is wrong" }]);
});

it("settings by which requests are altered or repeated are a warning", () => {
  expect(check(["models.default=claude-opus-4-8", "retry.statuses=529"]).filter(({ status }) => status === "warning").map(({ name }) => name)).toEqual(["models.map", "retry.statuses"]);
});
