// The sign-in link as a file, for terminals that cannot be copied from, and as a page for the opener of a browser, whose
// arguments every user can read. Only its owner can read it, and it goes when the sign-in ends. The link carries state and
// challenge, never the verifier.
import { constants } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { html } from "../../lib/html.ts";
import { webAddress } from "../../lib/web-address.ts";

export type Written = { readonly ok: boolean; readonly message: string };

export type LinkFile = {
  /** Replaces the file; never throws, `message` names its path or the reason. */
  write(link: string): Promise<Written>;
  /** Writes a page that leads to `link`, and gives its `file:` address. Rejects when it cannot be written. */
  writePage(link: string): Promise<string>;
  /** Removes what this process wrote; never throws. */
  remove(): Promise<void>;
};

/** `dir` is the data folder; it is made, for its owner only, when it is not there yet. */
export const createLinkFile = ({ dir }: { readonly dir: string }): LinkFile => {
  const written = new Set<string>();
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writePrivately(path, text);
    written.add(path);
  };
  return {
    async write(link) {
      const path = join(dir, "sign-in-link.txt");
      try {
        await write(path, `${link}\n`);
        return { ok: true, message: `The link is in ${path}` };
      } catch (error) {
        return { ok: false, message: `Could not write ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown"}).` };
      }
    },
    async writePage(link) {
      const path = join(dir, "sign-in.html");
      const address = webAddress(link);
      if (address === null) throw new Error("no web address");
      await write(path, pageTo(address));
      return pathToFileURL(path).href;
    },
    async remove() {
      for (const path of written) await rm(path, { force: true }).catch(() => {});
      written.clear();
    },
  };
};

const pageTo = (link: string): string => html`<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${link}">
<title>Sign in</title>
<p><a href="${link}">Go on to the sign-in page</a></p>
`.toString();

// A new file always: another program may have the old one open. `wx` follows no link and waits for no FIFO.
const writePrivately = async (path: string, text: string): Promise<void> => {
  await removeOld(path);
  const file = await open(path, "wx", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
  } finally {
    await file.close();
  }
};

const removeOld = async (path: string): Promise<void> => {
  const old = await openOld(path);
  if (old === null) return;
  try {
    const { uid } = await old.stat();
    if (uid !== (process.geteuid?.() ?? uid)) throw Object.assign(new Error("another user's file"), { code: "EACCES" });
  } finally {
    await old.close();
  }
  await rm(path);
};

// Fails on everything but a file: a link (ELOOP), a folder (EISDIR), a FIFO that is not read (ENXIO).
const openOld = async (path: string): Promise<FileHandle | null> => {
  try {
    return await open(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};
