// A command line from its words to its exit code: the one place where commands are run and failures caught.
import { describeFailure, wantsStack } from "./failure.ts";
import { chooseCommand } from "./program.ts";
import type { World } from "./world.ts";

/** One command from its arguments to its exit code; a failure is told on standard error. */
export const runCommandLine = async (world: World, args: readonly string[]): Promise<number> => {
  try {
    const chosen = chooseCommand(args, world.version, (text) => void world.stdout.write(text));
    if (chosen === null) return 0;
    const command = await chosen.load();
    return await command(world, chosen.given);
  } catch (error) {
    const { text, exitCode } = describeFailure(error, wantsStack(args, world.environment));
    world.stderr.write(text);
    return exitCode;
  }
};
