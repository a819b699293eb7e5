// Our own version, read from the package that this file is part of.
import { readFile } from "node:fs/promises";

/** The `version` of package.json; `0.0.0` when it cannot be read. */
export const readVersion = async (): Promise<string> => {
  try {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as { version?: unknown };
    return typeof manifest.version === "string" ? manifest.version : "0.0.0";
  } catch {
    return "0.0.0";
  }
};
