// What another user of the machine has put into the data folder while he could: it is refused by its name before
// anything in it is obeyed, and nothing waits for it.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createDataFolder, commandLine, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder } from "../helpers/data-folder.ts";
import { closeLater, temporaryFolder } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import type { Program } from "../helpers/program.ts";
import { asSecondUser, secondUser } from "../helpers/second-user.ts";

const ended = async (program: Program) => {
  program.endInput();
  const { code } = await program.waitForExit({ within: 20_000 });
  return { code, out: program.stdout(), err: program.stderr() };
};

/** A command that takes its settings from the folder alone. */
const command = ({ dir }: DataFolder, args: readonly string[]) => ended(startProgram({ script: commandLine, args: [...args.slice(0, 1), "--dir", dir, ...args.slice(1)] }));

/** The server of the second user. */
const attacker = async (): Promise<Upstream> => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  closeLater(() => upstream.close());
  return upstream;
};

const openFolder = async (): Promise<DataFolder> => {
  const folder = await createDataFolder();
  storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens({ account: "ada" }) } });
  chmodSync(folder.dir, 0o777);
  chmodSync(join(folder.dir, ".."), 0o755);
  return folder;
};

/** Preferences that send every token to `upstream`. */
const hostilePreferences = (upstream: Upstream): string => JSON.stringify({ ...upstream.settings(), "terms.accepted": true });

describe.skipIf(secondUser === null)("preferences of another user (needs root, to act as a second user)", () => {
  it.each([
    ["a file", 'printf %s "$2" > "$1/config.json"'],
    ["a link to a file of his", 'printf %s "$2" > "$3/his.json" && ln -s "$3/his.json" "$1/config.json"'],
  ])("(%s) are not obeyed: no token goes to his server, and every command says what to do until it was done", async (_, line) => {
    const [folder, his] = [await openFolder(), await attacker()];
    const elsewhere = temporaryFolder();
    chmodSync(elsewhere, 0o777);
    asSecondUser(line, folder.dir, hostilePreferences(his), elsewhere);
    const path = join(folder.dir, "config.json");
    const sentence = `claude-oauth-proxy: ${path} is not used: it belongs to another user (uid ${secondUser})`;
    for (const args of [["refresh"], ["config", "list"], ["--headless", "--port", "0"], ["config", "set", "mode", "oauth"]]) {
      const { code, err } = await command(folder, args);
      expect([args, code, err.split("\n")[0]]).toEqual([args, 1, sentence]);
      expect(err).toContain(`rm ${path}`);
    }
    const { code, out } = await command(folder, ["doctor", "--json"]);
    expect([code, out.includes(sentence.replace("claude-oauth-proxy: ", ""))]).toEqual([1, true]);
    expect([his.tokenCalls().refresh_token, his.requests.length, statSync(folder.dir).mode & 0o777]).toEqual([0, 0, 0o700]);
    rmSync(path);
    expect((await ended(folder.program(["refresh"]))).code).toBe(0);
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
  }, 60_000);

  it("beside planted locks are named in one go, and this user's own files serve again when both are gone", async () => {
    const folder = await openFolder();
    asSecondUser('cd "$1" && echo "{}" > config.json && mkdir -p -m 777 locks/accounts && touch locks/accounts/999999999999999', folder.dir);
    const { code, err } = await command(folder, ["accounts", "list"]);
    expect([code, err.split("\n")[0]]).toEqual([1, `claude-oauth-proxy: ${folder.dir} is not used: other users may have put 2 entries into it`]);
    for (const name of ["config.json", "locks"]) expect(err).toMatch(new RegExp(`- ${folder.dir}/${name}: it belongs to another user \\(uid ${secondUser}\\)\\. ls -ld .*; rm `));
    for (const name of ["config.json", "locks"]) rmSync(join(folder.dir, name), { recursive: true });
    const proxy = await folder.proxy();
    expect((await proxy.ask()).status).toBe(200);
  });
});

describe("a pipe that nobody writes to", () => {
  it("in the place of any file of the folder hangs no command: each ends and names it", async () => {
    const folder = await createDataFolder();
    mkdirSync(join(folder.dir, "locks/accounts"), { recursive: true, mode: 0o700 });
    const names = ["config.json", "accounts.json", "accounts.json.bak", "key", "history.json", "locks/accounts/9"];
    for (const name of names) execFileSync("mkfifo", [join(folder.dir, name)]);
    const changing = [["config", "set", "mode", "oauth"], ["run", "--", "true"], ["--headless", "--port", "0"]];
    for (const args of [["status"], ["config", "list"], ["accounts", "list"], ["print-key"], ["doctor"], ...changing]) {
      const { code, out, err } = await command(folder, args);
      const said = `${out}${err}`;
      expect([args, code, names.filter((name) => !said.includes(join(folder.dir, name)))]).toEqual([args, 1, []]);
    }
  }, 60_000);

  it.each([
    ["as certificates", (pipe: string) => ["accounts", "list", "--set", `upstream.caFile=${pipe}`], 2],
    ["as the accounts to import", (pipe: string) => ["import", pipe], 1],
    ["as the log", (pipe: string) => ["--headless", "--port", "0", "--log-file", pipe], 2],
    ["as the recording", (pipe: string) => ["--headless", "--port", "0", "--record", pipe], 2],
  ] as const)("%s is not waited for", async (_, args, code) => {
    const folder = await createDataFolder();
    const pipe = join(temporaryFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const done = await command(folder, args(pipe));
    expect([done.code, done.err.includes(pipe)]).toEqual([code, true]);
  });
});

it("certificates that every user can change are used, and that is said", async () => {
  const folder = await createDataFolder();
  const path = join(temporaryFolder(), "ca.pem");
  writeFileSync(path, "-----BEGIN CERTIFICATE-----\n");
  chmodSync(path, 0o666);
  const { err } = await command(folder, ["accounts", "list", "--set", `upstream.caFile=${path}`]);
  expect(err).toContain(`upstream.caFile names ${path}, which every user can change`);
});
