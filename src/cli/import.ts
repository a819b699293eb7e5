// `import FILE`: accounts of claude-code-mux or claude-proxy. Nothing that is there already is overwritten.
import { visibleText } from "../lib/visible-text.ts";
import { withStore } from "./with-store.ts";
import type { Command } from "./world.ts";

/** Exit code 1 when nothing could be taken from the file. */
export const importFile: Command = (world, given) =>
  withStore(world, given, async (store) => {
    const { imported, skipped } = await store.importFile(given.words[0] ?? "");
    for (const id of imported) world.stderr.write(`imported ${id}\n`);
    for (const { id, reason } of skipped) world.stderr.write(`skipped ${visibleText(id, 80)}: ${visibleText(reason)}\n`);
    world.stderr.write(`${imported.length} imported, ${skipped.length} skipped\n`);
    return imported.length === 0 ? 1 : 0;
  });
