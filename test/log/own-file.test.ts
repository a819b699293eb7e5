// Where a log may be written: never through a link, into a file of another user, or into a pipe that nobody reads.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFileLines } from "../../src/log/file-lines.ts";
import { openOwnFile } from "../../src/log/own-file.ts";
import { eventually } from "../helpers/eventually.ts";
import { releaseLater, temporaryFolder } from "../helpers/leftovers.ts";
import { asSecondUser, secondUser } from "../helpers/second-user.ts";

const uid = process.geteuid?.() ?? null;
const otherUid = (uid ?? 0) + 1;

const openIn = (path: string, user: number | null = uid) => openOwnFile(path, { uid: user, readerWaitMs: 100 });
const linesTo = (path: string, more: object = {}) => createFileLines({ path, uid, maxBytes: null, keep: 2, onFault: () => {}, ...more });
const refusal = (reason: string) => expect.objectContaining({ code: "bad-config", message: expect.stringContaining(reason), hint: expect.stringMatching(/\w/) });

/** A folder as /tmp is: every user may put files into it. */
const sharedFolder = (): string => {
  const dir = temporaryFolder();
  chmodSync(dir, 0o1777);
  return dir;
};

describe("a log file is refused before anything is written", () => {
  it("when it is a symbolic link, and what the link leads to stays as it is", async () => {
    const dir = temporaryFolder();
    const victim = join(dir, "victim");
    writeFileSync(victim, "mine\n", { mode: 0o644 });
    symlinkSync(victim, join(dir, "log"));
    await expect(linesTo(join(dir, "log"))).rejects.toThrow(refusal(`${join(dir, "log")} is not written to: it is a symbolic link`));
    expect([readFileSync(victim, "utf8"), statSync(victim).mode & 0o777]).toEqual(["mine\n", 0o644]);
  });

  it("when it is a symbolic link to nothing, and nothing is made through it", async () => {
    const dir = temporaryFolder();
    symlinkSync(join(dir, "nowhere"), join(dir, "log"));
    await expect(openIn(join(dir, "log"))).rejects.toThrow(refusal("it is a symbolic link"));
    expect(existsSync(join(dir, "nowhere"))).toBe(false);
  });

  it("when it has a second name, which may be a file of another program", async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "profile"), "mine\n");
    linkSync(join(dir, "profile"), join(dir, "log"));
    await expect(openIn(join(dir, "log"))).rejects.toThrow(refusal("it has a second name"));
  });

  it("when it is a folder or a socket", async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "folder"));
    const server = createServer().listen(join(dir, "socket"));
    await new Promise((listening) => void server.once("listening", listening));
    await expect(openIn(join(dir, "folder"))).rejects.toThrow(refusal("it is a folder"));
    await expect(openIn(join(dir, "socket"))).rejects.toThrow(refusal("it is a socket"));
    server.close();
  });

  it("when it belongs to another user", async () => {
    const path = join(temporaryFolder(), "log");
    writeFileSync(path, "theirs\n", { mode: 0o666 });
    await expect(openIn(path, otherUid)).rejects.toThrow(refusal("it belongs to another user"));
    expect(readFileSync(path, "utf8")).toBe("theirs\n");
  });

  it.skipIf(secondUser === null)("when another user has put a file, a link or a pipe there that all may write to (needs root, to act as a second user)", async () => {
    const dir = sharedFolder();
    const victim = join(temporaryFolder(), "victim");
    writeFileSync(victim, "mine\n");
    asSecondUser('cd "$1" && touch file && ln -s "$2" link && mkfifo pipe && chmod 666 file pipe', dir, victim);
    for (const name of ["file", "pipe"]) await expect(openIn(join(dir, name))).rejects.toThrow(refusal(`belongs to another user (uid ${secondUser})`));
    await expect(openIn(join(dir, "link"))).rejects.toThrow(refusal("it is a symbolic link"));
    expect([readFileSync(victim, "utf8"), readFileSync(join(dir, "file"), "utf8")]).toEqual(["mine\n", ""]);
  });

  it("when it is a pipe of one's own that no program reads from, which is not waited for", async () => {
    const path = join(temporaryFolder(), "log");
    execFileSync("mkfifo", [path]);
    await expect(openIn(path)).rejects.toThrow(refusal("a pipe that no program reads from; start its reader first"));
  });
});

describe("a log file may be", () => {
  it("made, for its owner alone, whatever the umask", async () => {
    const path = join(temporaryFolder(), "log");
    const before = process.umask(0);
    try {
      await (await openIn(path)).close();
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("a pipe of one's own with a reader", async () => {
    const path = join(temporaryFolder(), "log");
    execFileSync("mkfifo", [path]);
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    releaseLater(() => void reader.kill());
    let seen = "";
    reader.stdout.on("data", (bytes: Buffer) => void (seen += bytes.toString()));
    const lines = await linesTo(path);
    lines.write("one");
    await lines.close();
    expect(await eventually(() => seen, (text) => text !== "")).toBe("one\n");
  });

  it("/dev/null, and /dev/stderr whatever that leads to", async () => {
    await (await openIn("/dev/null")).close();
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const script = 'import { openOwnFile } from "./src/log/own-file.ts"; const file = await openOwnFile("/dev/stderr", { uid: 12345 }); await file.appendFile("said\\n");';
    const said = execFileSync("sh", ["-c", 'exec "$0" --input-type=module -e "$1" 2>&1 | cat', process.execPath, script], { encoding: "utf8" });
    expect(said).toBe("said\n");
  });
});

describe("a rotation", () => {
  it.each<[string, (path: string) => void, string]>([
    ["a symbolic link", (path) => symlinkSync("/etc/passwd", path), "it is a symbolic link"],
    ["a folder", (path) => mkdirSync(path), "it is a folder"],
  ])("that would replace %s is refused before anything is written", async (_, put, reason) => {
    const dir = temporaryFolder();
    put(join(dir, "log.2"));
    await expect(linesTo(join(dir, "log"), { maxBytes: 100 })).rejects.toThrow(refusal(`${join(dir, "log.2")} is not written to: ${reason}, and the rotation`));
    expect(readdirSync(dir)).toEqual(["log.2"]);
  });

  it("looks again when it comes: what was put there meanwhile stays, and that is said once", async () => {
    const dir = temporaryFolder();
    const faults: string[] = [];
    const lines = await linesTo(join(dir, "log"), { maxBytes: 10, onFault: (message: string) => void faults.push(message) });
    lines.write("0123456789");
    await eventually(() => readFileSync(join(dir, "log"), "utf8"), (text) => text !== "");
    symlinkSync("/etc/passwd", join(dir, "log.1"));
    lines.write("one");
    lines.write("two");
    await lines.close();
    expect(faults).toEqual([expect.stringContaining(`log.1 is not written to: it is a symbolic link`)]);
    expect(lstatSync(join(dir, "log.1")).isSymbolicLink()).toBe(true);
  });

  it("opens the next file as it opened the first: a link that was put in its place is not followed", async () => {
    const dir = join(temporaryFolder(), "logs");
    const victim = join(dir, "..", "victim");
    mkdirSync(dir);
    const faults: string[] = [];
    const lines = await linesTo(join(dir, "log"), { maxBytes: 10, onFault: (message: string) => void faults.push(message) });
    lines.write("0123456789");
    await eventually(() => readFileSync(join(dir, "log"), "utf8"), (text) => text !== "");
    rmSync(dir, { recursive: true });
    lines.write("lost");
    await eventually(() => faults, ({ length }) => length > 0);
    mkdirSync(dir);
    symlinkSync(victim, join(dir, "log"));
    lines.write("lost too");
    await lines.close();
    expect([existsSync(victim), faults.length]).toEqual([false, 1]);
  });
});
