import { execFileSync } from "node:child_process";
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { createLinkFile } from "../../../src/tui/edges/link-file.ts";
import { temporaryFolder } from "../../helpers/leftovers.ts";
import { secondUser } from "../../helpers/second-user.ts";

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the link as a file", () => {
  it("is for its owner only, folder included, whatever the umask, and its path is said", async () => {
    const dir = join(temporaryFolder(), "data");
    const before = process.umask(0o000);
    try {
      const file = createLinkFile({ dir });
      const path = join(dir, "sign-in-link.txt");
      expect(await file.write("https://x.example/")).toEqual({ ok: true, message: `The link is in ${path}` });
      expect([mode(path), mode(dir), readFileSync(path, "utf8")]).toEqual(["600", "700", "https://x.example/\n"]);
    } finally {
      process.umask(before);
    }
  });

  it("replaces an older, longer and more open one", async () => {
    const dir = temporaryFolder();
    const path = join(dir, "sign-in-link.txt");
    writeFileSync(path, "x".repeat(999), { mode: 0o644 });
    await createLinkFile({ dir }).write("short");
    expect([mode(path), readFileSync(path, "utf8")]).toEqual(["600", "short\n"]);
  });

  it("does not write through a link that lies in its place", async () => {
    const dir = temporaryFolder();
    const victim = join(dir, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, join(dir, "sign-in-link.txt"));
    expect(await createLinkFile({ dir }).write("link")).toEqual({ ok: false, message: expect.stringContaining("ELOOP") as string });
    expect(readFileSync(victim, "utf8")).toBe("mine");
  });

  it("is not waited for when a pipe lies in its place", async () => {
    const dir = temporaryFolder();
    execFileSync("mkfifo", [join(dir, "sign-in-link.txt")]);
    expect(await createLinkFile({ dir }).write("link")).toEqual({ ok: false, message: expect.stringContaining("ENXIO") as string });
  });

  it("is not read by a program that has the older file open", async () => {
    const dir = temporaryFolder();
    const path = join(dir, "sign-in-link.txt");
    writeFileSync(path, "old", { mode: 0o644 });
    const open = openSync(path, "r");
    await createLinkFile({ dir }).write("link");
    expect([readFileSync(open, "utf8"), readFileSync(path, "utf8")]).toEqual(["old", "link\n"]);
    closeSync(open);
  });

  it.skipIf(secondUser === null)("is not written into a file of another user (needs root, to act as a second user)", async () => {
    const dir = temporaryFolder();
    const path = join(dir, "sign-in-link.txt");
    writeFileSync(path, "theirs", { mode: 0o666 });
    chownSync(path, secondUser ?? 0, -1);
    expect(await createLinkFile({ dir }).write("link")).toEqual({ ok: false, message: expect.stringContaining("EACCES") as string });
    expect(readFileSync(path, "utf8")).toBe("theirs");
  });

  it("goes with the sign-in, and only the one this process wrote", async () => {
    const dir = temporaryFolder();
    const path = join(dir, "sign-in-link.txt");
    const file = createLinkFile({ dir });
    await file.write("link");
    await createLinkFile({ dir }).remove();
    expect(existsSync(path)).toBe(true);
    await file.remove();
    await file.remove();
    expect(existsSync(path)).toBe(false);
  });

  it("is a private page too that leads there by itself, and that goes with the sign-in (A26)", async () => {
    const dir = join(temporaryFolder(), "data");
    const file = createLinkFile({ dir });
    const url = await file.writePage('https://x.example/?a=1&b="<script>');
    const path = join(dir, "sign-in.html");
    expect([url, mode(path), mode(dir)]).toEqual([pathToFileURL(path).href, "600", "700"]);
    const text = readFileSync(path, "utf8");
    expect(text).toContain('<meta http-equiv="refresh" content="0; url=https://x.example/?a=1&amp;b=%22%3Cscript%3E">');
    expect(text).toContain('<meta name="referrer" content="no-referrer">');
    await file.remove();
    expect(existsSync(path)).toBe(false);
    mkdirSync(path);
    await expect(file.writePage("https://x.example/")).rejects.toThrow("EISDIR");
  });

  it("makes no page for an address that a browser would run (S17)", async () => {
    const dir = temporaryFolder();
    for (const link of ["javascript:alert(1)", "data:text/html,x", "file:///x"]) await expect(createLinkFile({ dir }).writePage(link)).rejects.toThrow("no web address");
    expect(existsSync(join(dir, "sign-in.html"))).toBe(false);
  });

  it("a place that cannot be written to is a sentence", async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "sign-in-link.txt"));
    expect(await createLinkFile({ dir }).write("link")).toEqual({ ok: false, message: expect.stringMatching(/^Could not write .*EISDIR/) as string });
  });
});
