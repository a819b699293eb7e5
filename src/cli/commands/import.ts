// `import FILE`: accounts of claude-code-mux or claude-proxy. Nothing that is there already is overwritten.
import { visibleText } from "../../lib/visible-text.ts";
import type { Command } from "../context.ts";
import { withStore } from "../with-store.ts";

/** Exit code 1 when nothing could be taken from the file. */
export const importFile: Command = (context, args) =>
  withStore(context, args, async (store) => {
    const { imported, skipped } = await store.importFile(args.positionals[0] ?? "");
    for (const id of imported) context.stderr.write(`imported ${id}\n`);
    for (const { id, reason } of skipped) context.stderr.write(`skipped ${visibleText(id, 80)}: ${visibleText(reason)}\n`);
    context.stderr.write(`${imported.length} imported, ${skipped.length} skipped\n`);
    return imported.length === 0 ? 1 : 0;
  });
