// How a person calls this program from another terminal, for the lines that the screen offers to copy:
// they have to work when pasted, also from a clone and with another data folder.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { posixWord } from "../lib/shell-quote.ts";

export type OwnNameFacts = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The interpreter and the script of this process. */
  readonly launch: readonly string[];
  readonly dir: string;
  /** The folder that is used when none is named. */
  readonly usualDir: string;
};

const name = "claude-oauth-proxy";

/** `exists` is handed in by tests only. */
export const ownName = ({ environment, launch, dir, usualDir }: OwnNameFacts, exists: (path: string) => boolean = existsSync): string => {
  const program = isInstalled(environment["PATH"] ?? "", exists) ? name : environment["npm_command"] === "exec" ? `npx ${name}` : launch.map(posixWord).join(" ");
  return dir === usualDir ? program : `${program} --dir ${posixWord(dir)}`;
};

// npm puts the folders of its scripts in front: another terminal does not have them.
const isInstalled = (path: string, exists: (path: string) => boolean): boolean =>
  path.split(delimiter).some((folder) => folder !== "" && !/[\\/](node_modules[\\/]\.bin|node-gyp-bin|_npx)\b/.test(folder) && exists(join(folder, name)));
