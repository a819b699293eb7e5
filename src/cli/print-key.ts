// `print-key`: the local key and nothing else, as Claude Code's `apiKeyHelper` wants it (a banner beside it breaks the helper).
import { loadSettings } from "./settings.ts";
import { localKeyOf } from "./with-store.ts";
import type { Command } from "./world.ts";

export const printKey: Command = async (world, given) => {
  const key = await localKeyOf(world, loadSettings(world, given));
  world.stdout.write(`${key.reveal()}\n`);
  return 0;
};
