// The house rules that a machine can hold: who may import whom, which file may touch which package,
// how long a file may be. The two tables are what a reviewer reads first.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Folder → what it may import besides itself, `lib` and `messages`. An entry with a slash is one file. */
const mayImport: Record<string, readonly string[]> = {
  lib: [],
  messages: [],
  state: ["accounts/can-serve"],
  oauth: [],
  config: ["storage/files", "storage/paths", "storage/private-file", "storage/private-folder"],
  log: [],
  demo: [],
  storage: ["accounts/account"],
  accounts: [],
  proxy: ["accounts/credentials"],
  api: ["state", "server/respond", "server/read-body", "server/endpoints"],
  server: ["api", "proxy"],
  app: ["state", "oauth", "config", "log", "demo", "storage", "accounts", "proxy", "api", "server"],
  tui: ["state", "app/app"],
  cli: ["app", "tui", "config", "log", "demo", "doctor", "state", "storage/paths"],
  doctor: ["accounts/can-serve", "app", "config", "demo", "log", "tui", "cli"],
  library: ["app", "accounts", "config", "state", "storage/paths"],
  "index.ts": ["library", "app", "state"],
};

/** Imported for their types only, by the folders named (`*`: by all): these edges must vanish when the program is compiled. */
const typesOnly: Record<string, readonly string[]> = { "accounts/account": ["*"], "accounts/credentials": ["proxy"], "app/app": ["*"] };

/** Package or built-in → the files that may import it. A trailing slash is a folder. */
const mayTouch: Record<string, readonly string[]> = {
  undici: ["proxy/upstream.ts"],
  conf: ["config/file.ts"],
  commander: ["cli/parse-args.ts"],
  ink: ["tui/"],
  react: ["tui/"],
  "@inkjs/ui": ["tui/"],
  "string-width": ["tui/text.ts"],
  clipboardy: ["tui/edges/clipboard.ts"],
  open: ["tui/edges/browser.ts"],
  "prom-client": ["api/metrics.ts"],
  "node:fs": ["storage/", "config/", "log/", "tui/edges/link-file.ts", "cli/own-name.ts"],
  "node:http": ["server/server.ts", "server/handler.ts", "cli/connection.ts", "demo/", "oauth/callback.ts", "proxy/tunnel.ts"],
  "node:https": ["demo/", "proxy/tunnel.ts"],
  "node:child_process": ["cli/commands/run.ts", "doctor/machine.ts", "tui/edges/"],
  "node:net": ["demo/", "cli/connection.ts", "cli/running.ts", "doctor/raw-client.ts", "oauth/localhost.ts"],
  "node:fs/promises": ["log/", "tui/edges/link-file.ts", "cli/commands/demo.ts", "app/version.ts", "doctor/machine.ts", "doctor/sandbox.ts"],
  "node:crypto": ["lib/", "oauth/", "storage/", "server/", "demo/", "proxy/", "doctor/network-checks.ts"],
  "node:zlib": ["proxy/", "demo/"],
};

/** Files that may read the process they run in; everybody else is handed what they need. */
const mayReadProcess = ["cli/", "doctor/machine.ts", "tui/edges/", "library/options.ts"];

type Import = { readonly file: string; readonly target: string; readonly typeOnly: boolean };

const sourceFiles = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

const statement = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;

const importsOf = (file: string): readonly Import[] =>
  [...readFileSync(join(root, file), "utf8").matchAll(statement)].map((match) => ({
    file,
    target: match[2] ?? match[3] ?? "",
    typeOnly: match[1] !== undefined,
  }));

const source = sourceFiles("src");
const imports = source.flatMap(importsOf);
const inSource = (file: string): string => relative("src", file);
const folderOf = (file: string): string => inSource(file).split("/")[0] ?? "";
const resolved = ({ file, target }: Import): string => relative("src", join(dirname(file), target)).replace(/\.tsx?$/, "");
const own = (edge: Import): boolean => folderOf(edge.file) === resolved(edge).split("/")[0];
const packageOf = (target: string): string => target.split("/").slice(0, target.startsWith("@") ? 2 : 1).join("/");
const allows = (patterns: readonly string[], file: string): boolean =>
  patterns.some((pattern) => (pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern));

const isTypesOnly = (edge: Import): boolean => (typesOnly[resolved(edge)] ?? []).some((folder) => folder === "*" || folder === folderOf(edge.file));

describe("the parts import only what they may", () => {
  const local = imports.filter(({ target }) => target.startsWith("."));

  it("every folder is in the table", () => {
    expect([...new Set(source.map(folderOf))].filter((folder) => mayImport[folder] === undefined)).toEqual([]);
  });

  it("no import crosses a border that the table does not open", () => {
    const open = new Set(["lib", "messages"]);
    const crossing = local.filter((edge) => {
      const from = folderOf(edge.file);
      const to = resolved(edge);
      const folder = to.split("/")[0] ?? "";
      if (folder === from || open.has(folder)) return false;
      return !(mayImport[from] ?? []).some((allowed) => allowed === folder || allowed === to);
    });
    expect(crossing.map((edge) => `${edge.file} → ${resolved(edge)}`)).toEqual([]);
  });

  it("contract types are imported as types", () => {
    const wrong = local.filter((edge) => isTypesOnly(edge) && !edge.typeOnly && !own(edge));
    expect(wrong.map((edge) => `${edge.file} → ${resolved(edge)}`)).toEqual([]);
  });
});

describe("packages and the machine are touched in named files only", () => {
  const foreign = imports.filter(({ target }) => !target.startsWith("."));

  it("a package is imported where the table says", () => {
    const wrong = foreign.filter(({ file, target, typeOnly }) => {
      const rule = mayTouch[target.startsWith("node:") ? target : packageOf(target)];
      if (rule === undefined) return !target.startsWith("node:");
      return !typeOnly && !allows(rule, inSource(file));
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it("the process is read at the edge only", () => {
    const wrong = source.filter((file) => {
      const text = readFileSync(join(root, file), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
      return /\bprocess\.(?!versions)/.test(text) && !allows(mayReadProcess, inSource(file));
    });
    expect(wrong).toEqual([]);
  });
});

describe("files stay small and speak of the product only", () => {
  const every = [...source, ...sourceFiles("test")];

  it("no file is longer than 400 lines", () => {
    const long = every.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 401);
    expect(long).toEqual([]);
  });

  it("no line of a test is longer than 200 characters", () => {
    const long = sourceFiles("test").flatMap((file) => readFileSync(join(root, file), "utf8").split("\n").flatMap((line, at) => (line.length > 200 ? [`${file}:${at + 1}`] : [])));
    expect(long).toEqual([]);
  });

  it("folders are nouns of the product", () => {
    expect(source.filter((file) => /\/(utils?|helpers?|common|misc|types|managers?|services?)[./]/.test(file))).toEqual([]);
  });

  it("nothing is left unfinished or left out without a reason", () => {
    const marks = /T[O]DO|FIX[M]E|X[X]X|\b(it|describe|test)\.(only|tod[o])/;
    expect(every.filter((file) => marks.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });
});
