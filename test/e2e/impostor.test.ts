// Another user of the machine holds our port before the proxy does, and looks like it in every field. Every command runs
// against that; what the impostor was shown is searched for the key and for prompts.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import type { Exit, Program } from "../helpers/program.ts";

const isRoot = process.getuid?.() === 0;
const otherUser = isRoot ? "65534" : "0";

/** Holds `port`; `seen` is everything that it was shown. */
const impostorOn = async (port: number, behaviour = "forge"): Promise<{ readonly program: Program; readonly seen: () => string }> => {
  const program = startProgram({ script: resolve(import.meta.dirname, "../fixtures/impostor.ts"), args: [String(port), behaviour, otherUser] });
  await program.waitForLine('"listening":true');
  return { program, seen: () => program.stdout() };
};

type Ended = Exit & { readonly out: string; readonly err: string };

/** `end` runs one command to its end. */
type Folder = { readonly folder: DataFolder; readonly key: string; end(...args: readonly string[]): Promise<Ended> };

/** A folder with a signed-in account, whose settings name `port` without any flag, and the key that must not be shown. */
const folderFor = async (port: number): Promise<Folder> => {
  const folder = await createDataFolder();
  storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens() } });
  const settings: Record<string, Record<string, unknown>> = { server: { port }, log: { format: "json" } };
  for (const [name, value] of Object.entries(folder.upstream.settings())) {
    const [section = "", key = ""] = name.split(".");
    (settings[section] ??= {})[key] = value;
  }
  writeFileSync(join(folder.dir, "config.json"), JSON.stringify(settings), { mode: 0o600 });
  const end = async (...args: readonly string[]) => {
    const [name = "", ...rest] = args;
    const program = startProgram({ script: commandLine, args: [name, "--dir", folder.dir, ...rest] });
    program.endInput();
    return { ...(await program.waitForExit({ within: 30_000 })), out: program.stdout(), err: program.stderr() };
  };
  expect((await end("print-key")).code).toBe(0);
  return { folder, key: folder.key(), end };
};

const commandLine = join(import.meta.dirname, "../cli/launch.ts");

// What `run` starts: one prompt to where it was sent.
const prompt = `fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", headers: { authorization: "Bearer " + process.env.ANTHROPIC_AUTH_TOKEN },
  body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "canary of a prompt" }] }) }).then(({ status }) => console.log("status " + status))`;

const strange = "something else answers";

describe(`a port that ${isRoot ? "another user" : "another program (another user only where root runs this test)"} holds`, () => {
  it("gets neither key nor prompt from any command, and each says so (S3)", async () => {
    const port = await reservePort();
    const { seen, program } = await impostorOn(port);
    if (isRoot) expect(program.stdout()).toContain('"uid":65534');
    const { key, end } = await folderFor(port);
    const [status, json, short, env] = await Promise.all([end("status"), end("status", "--json"), end("status", "--short"), end("env")]);
    expect([status.code, status.out]).toEqual([0, expect.stringContaining(`${strange} at http://127.0.0.1:${port}; it did not prove`)]);
    expect(JSON.parse(json.out)).toMatchObject({ running: false, port: "foreign", accounts: [{ id: "ada" }] });
    expect(short.out).toContain("port taken");
    expect([env.code, env.out, env.err]).toEqual([1, "", expect.stringContaining(strange)]);
    const [doctor, start, demo, run] = await Promise.all([
      // Also while the proxy of `run` runs on another port.
      end("doctor"),
      end("start", "--headless"),
      end("demo", "--headless", "--port", String(port)),
      end("run", "--", process.execPath, "-e", prompt),
    ]);
    expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining(strange)]);
    for (const { code, err } of [start, demo]) expect([code, err]).toEqual([4, expect.stringMatching(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken already: ${strange}[^]*--port \\d+`))]);
    expect([run.code, run.out, run.err]).toEqual([0, "status 200\n", expect.stringContaining("the command gets a proxy of its own")]);
    expect(seen()).toContain("GET /api/hello");
    expect(seen()).not.toMatch(new RegExp(`${key}|canary|/v1/|/health|/api/status`));
  });

  it("is not even asked by commands that need no proxy (S3)", async () => {
    const port = await reservePort();
    const { seen } = await impostorOn(port);
    const { end } = await folderFor(port);
    const before = seen();
    const codes = await Promise.all([end("print-key"), end("refresh"), end("accounts", "list"), end("login")]);
    expect(codes.map(({ code }) => code)).toEqual([0, 0, 0, 1]);
    expect((await end("logout")).code).toBe(0);
    expect(seen()).toBe(before);
  });

  it("passes the challenge on to the real proxy in vain (S3)", async () => {
    const port = await reservePort();
    const { folder, key, end } = await folderFor(port);
    const proxy = await folder.proxy();
    const { seen } = await impostorOn(port, `relay:${new URL(proxy.url).port}`);
    expect(JSON.parse((await end("status", "--json")).out)).toMatchObject({ running: true, url: proxy.url });
    expect(seen()).not.toContain("GET");
    rmSync(join(folder.dir, "proxy.json"));
    const [status, run] = await Promise.all([end("status", "--json"), end("run", "--", process.execPath, "-e", prompt)]);
    expect(JSON.parse(status.out)).toMatchObject({ running: false, port: "other-folder" });
    expect([run.code, run.out]).toEqual([0, "status 200\n"]);
    expect(seen()).toContain("GET /api/hello");
    expect(seen()).not.toMatch(new RegExp(`${key}|canary|/v1/|/api/status`));
  });

  it("is waited for no longer than two seconds (S3)", async () => {
    const port = await reservePort();
    const { seen } = await impostorOn(port, "hang");
    const { key, end } = await folderFor(port);
    const quick = await timed(() => end("print-key"));
    const slow = await timed(() => end("status", "--short"));
    expect(slow.result.out).toContain("port taken");
    expect(slow.ms - quick.ms).toBeLessThan(8000);
    expect(seen()).not.toContain(key);
  });

  it("was that of a killed proxy: what it left in proxy.json is believed no more (S3)", async () => {
    const { folder, key, end } = await folderFor(await reservePort());
    const proxy = await folder.proxy();
    const left = readFileSync(join(folder.dir, "proxy.json"), "utf8");
    await proxy.stop();
    expect(readFileSync(join(folder.dir, "proxy.json"), "utf8")).toBe(left);
    const { seen } = await impostorOn(Number(new URL(proxy.url).port));
    const [status, run] = await Promise.all([end("status", "--json"), end("run", "--", process.execPath, "-e", prompt)]);
    expect(JSON.parse(status.out)).toMatchObject({ running: false });
    expect([run.code, run.out]).toEqual([0, "status 200\n"]);
    expect(seen()).not.toMatch(new RegExp(`${key}|canary|/v1/|/api/status`));
    await eventually(() => existsSync(join(folder.dir, "proxy.json")), (is) => !is, { what: "the end of what was left behind" });
  });
});

const timed = async <T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> => {
  const began = performance.now();
  const result = await work();
  return { result, ms: performance.now() - began };
};
