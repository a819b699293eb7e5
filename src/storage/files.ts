// The file system as an argument, so that a test can make any single call fail. Everything here is
// synchronous on purpose: between reading a credential and having it on the disk nothing else may run.
import * as nodeFs from "node:fs";

/** The calls of `node:fs` that this folder uses, and no others. */
export type Files = Pick<
  typeof nodeFs,
  | "chmodSync"
  | "closeSync"
  | "fchmodSync"
  | "fstatSync"
  | "fsyncSync"
  | "ftruncateSync"
  | "futimesSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readFileSync"
  | "readdirSync"
  | "realpathSync"
  | "renameSync"
  | "statSync"
  | "unlinkSync"
  | "writeSync"
>;

/** The machine's own file system. */
export const systemFiles: Files = nodeFs;
