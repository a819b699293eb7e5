// The README's tables come from the source. A stale one fails here; UPDATE_README=1 writes them anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandTable, globalOptions, startOptions } from "../src/cli/commands.ts";
import type { CommandSpec, OptionSpec } from "../src/cli/commands.ts";
import { endpoints, needsInWords } from "../src/server/endpoints.ts";
import { settingsTable } from "../src/config/text.ts";
import { bindings } from "../src/tui/keymap.ts";
import { longest } from "./helpers/vitest.ts";
import { elsewhere } from "./vitest.config.ts";

const path = join(import.meta.dirname, "../README.md");

const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

const optionsOf = (options: readonly OptionSpec[] = []): string => options.map(({ flags }) => `\`${flags}\``).join(" ");

const commandRows = ({ name, arguments: words = [], description, options, subcommands = [] }: CommandSpec, prefix = ""): readonly string[] => [
  row(`\`${[prefix + name, ...words].join(" ")}\``, description, options === startOptions ? "as `start`" : optionsOf(options)),
  ...subcommands.flatMap((command) => commandRows(command, `${prefix}${name} `)),
];

const start = commandTable.filter(({ name }) => name === "start").map((command) => row(`\`${command.name}\``, command.description, optionsOf(command.options)));
const commands = [
  "| command | what it does | options |",
  "|---|---|---|",
  ...start,
  ...commandTable.filter(({ name }) => name !== "start").flatMap((command) => commandRows(command)),
  row("every command", "", optionsOf([...globalOptions, { flags: "--help", description: "" }, { flags: "--version", description: "" }])),
].join("\n");

const keys = ["| key | where | what it does |", "|---|---|---|"]
  .concat(bindings.filter(({ help }) => help !== "").map((binding) => row(binding.keys.map((key) => `\`${key}\``).join(" "), binding.places?.join(", ") ?? "everywhere", binding.help)))
  .join("\n");

const endpointRows = ["| path | methods | what opens it | what it is for |", "|---|---|---|---|"]
  .concat(row("`/v1/*`", "all", needsInWords.forwarding, "forwarded to the upstream, body and answer byte for byte"))
  .concat(endpoints.map(({ path: target, methods, needs, summary }) => row(`\`${target}\``, methods.join(", "), needsInWords[needs], summary)))
  .join("\n");

const withTable = (text: string, name: string, table: string): string =>
  text.replace(new RegExp(`(<!-- ${name}:start -->\n)[\\s\\S]*?(<!-- ${name}:end -->)`), (_all, open: string, close: string) => `${open}${table}\n${close}`);

it("the tables of commands, keys, settings and endpoints in the README are those of the source", () => {
  const found = readFileSync(path, "utf8");
  const tables = { commands, keys, settings: settingsTable(), endpoints: endpointRows };
  const wanted = Object.entries(tables).reduce((text, [name, table]) => withTable(text, name, table), found);
  if (process.env.UPDATE_README === "1") writeFileSync(path, wanted);
  else expect(found).toBe(wanted);
});

it("the README shows the two commands of a fresh machine", () => {
  const text = readFileSync(path, "utf8");
  expect(text).toContain("npm ci && npm start");
  expect(text).toContain("npm ci && npm test");
});

it("every file that the README and the map of src/ name is there", () => {
  const root = join(import.meta.dirname, "..");
  const named = [...readFileSync(path, "utf8").matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, file = ""]) => file);
  const map = readFileSync(join(root, "src/README.md"), "utf8");
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const inMap = [...map.matchAll(/`([a-z]+\/[\w./-]+)`/g)].map(([, file = ""]) => file).filter((file) => folders.includes(file.split("/")[0] ?? ""));
  const exists = (file: string): boolean => ["", ".ts", ".tsx", ".test.ts", ".test.tsx"].some((ending) => existsSync(join(root, file + ending)));
  expect(named.filter((file) => !exists(file))).toEqual([]);
  expect(inMap.length).toBeGreaterThan(30);
  expect(inMap.filter((file) => !exists(join("src", file)))).toEqual([]);
  expect(folders.filter((folder) => !map.includes(`| \`${folder}\``))).toEqual([]);
});

it("every code at the end of a title is explained in test/README.md", () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) => /\.test\.tsx?$/.test(file));
  const titles = files.flatMap((file) => [...readFileSync(join(import.meta.dirname, file), "utf8").matchAll(/ \(((?:[A-Z]\d+(?:, )?)+)\)["'`]/g)]);
  const used = new Set(titles.flatMap(([, codes = ""]) => codes.split(", ")));
  const explained = new Set(readFileSync(join(import.meta.dirname, "README.md"), "utf8").match(/\b[A-Z]\d+\b/g));
  expect(used.size).toBeGreaterThan(10);
  expect([...used].filter((code) => !explained.has(code))).toEqual([]);
});

it("the files that the test runner is told of are there", () => {
  expect([...elsewhere, ...longest].filter((file) => !existsSync(join(import.meta.dirname, "..", file)))).toEqual([]);
});
