// The sign-in link as a file, for terminals that cannot be copied from. Only its owner can read it, and
// it goes when the sign-in ends. The link carries state and challenge, never the verifier.
import { constants } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";

export type Written = { readonly ok: boolean; readonly message: string };

export type LinkFile = {
  /** Replaces the file; never throws, `message` names its path or the reason. */
  write(link: string): Promise<Written>;
  /** Removes it when this process wrote one; never throws. */
  remove(): Promise<void>;
};

const name = "sign-in-link.txt";

/** `dir` is the data folder; it is made, for its owner only, when it is not there yet. */
export const createLinkFile = ({ dir }: { readonly dir: string }): LinkFile => {
  const path = join(dir, name);
  let written = false;
  return {
    async write(link) {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await writePrivately(path, `${link}\n`);
        written = true;
        return { ok: true, message: `The link is in ${path}` };
      } catch (error) {
        return { ok: false, message: `Could not write ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown"}).` };
      }
    },
    async remove() {
      if (written) await rm(path, { force: true }).catch(() => {});
      written = false;
    },
  };
};

// A link in the file's place is not followed, and an older file keeps no wider mode.
const writePrivately = async (path: string, text: string): Promise<void> => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
  const file = await open(path, flags, 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
  } finally {
    await file.close();
  }
};
