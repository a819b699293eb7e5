// `print-key`: the local key and nothing else, as Claude Code's `apiKeyHelper` wants it (a banner beside it breaks the helper).
import { withStore } from "./with-store.ts";
import type { Command } from "./world.ts";

export const printKey: Command = (world, given) =>
  withStore(world, given, async ({ key }) => {
    world.stdout.write(`${key.reveal()}\n`);
    return 0;
  });
