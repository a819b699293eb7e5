// Keeps a few blocks of the disk for the next write of the credentials file: a refresh token is spent
// the moment it is sent, so the room for its successor must exist before that.
import { writeAtomic } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";

const block = 4096;

/**
 * Makes sure that `path` holds at least one block more than `size` bytes. Random bytes, because a file
 * system that compresses or keeps holes would reserve nothing for zeros. Throws `store-unwritable`.
 */
export const ensureReserve = (path: string, size: number, deps: WriteDeps): void => {
  const wanted = Math.ceil((size + block) / block) * block;
  const stat = deps.files.statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && stat.isFile() && stat.size >= wanted) return;
  writeAtomic(path, deps.random(wanted), deps);
};
