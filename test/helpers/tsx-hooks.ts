// Lets a fixture program import the screens as they stand in src/: Node strips types but does not
// know JSX. Loaded with `--import`, so that a test of a screen needs no build.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "rolldown/utils";

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(".tsx")) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const { code, errors } = transformSync(path, readFileSync(path, "utf8"), { jsx: { runtime: "automatic" }, target: "es2023" });
    if (errors[0] !== undefined) throw errors[0];
    return { format: "module", source: code, shortCircuit: true };
  },
});
