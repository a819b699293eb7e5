// A piece of a body with its framing around it, as one write of its socket. Latin-1 is the identity on bytes.
import type { Socket } from "node:net";

/** What stands before and behind `bytes`, each character one byte. */
export type Written = { readonly before: string; readonly bytes: Buffer; readonly behind: string };

/** Up to here copying a piece behind its head costs less than a second buffer in the system call (a tenth of a small request). */
const copiedBytes = 16 * 1024;

/** False asks to wait for `drain`; `done` is called when all of it was handed to the kernel. */
export const writeTogether = (socket: Socket, { before, bytes, behind }: Written, done?: (error?: Error | null) => void): boolean => {
  if (bytes.length <= copiedBytes) return socket.write(before + bytes.toString("latin1") + behind, "latin1", done);
  socket.cork();
  if (before !== "") socket.write(before, "latin1");
  socket.write(bytes);
  const hasRoom = socket.write(behind, "latin1", done);
  socket.uncork();
  return hasRoom;
};

/** The line before a chunk (RFC 9112 section 7.1). */
export const chunkSize = (bytes: Buffer): string => `${bytes.length.toString(16)}\r\n`;

/** What ends a chunked body without trailers. */
export const lastChunk = "0\r\n\r\n";
