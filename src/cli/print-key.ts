// `print-key`: the local key and nothing else, as Claude Code's `apiKeyHelper` wants it (a banner beside it breaks the helper).
import { loadSettings } from "./settings.ts";
import { localKeyOf } from "./with-store.ts";
import type { Command } from "./context.ts";

export const printKey: Command = async (context, args) => {
  const key = await localKeyOf(context, loadSettings(context, args));
  context.stdout.write(`${key.reveal()}\n`);
  return 0;
};
