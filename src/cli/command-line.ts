// A command line from its words to its exit code: the one place where commands are run and failures caught.
import { describeFailure, wantsStack } from "./errors.ts";
import { chooseCommand } from "./parse-args.ts";
import type { CliContext } from "./context.ts";

/** One command from its arguments to its exit code; a failure is told on standard error. */
export const runCommandLine = async (context: CliContext, args: readonly string[]): Promise<number> => {
  try {
    const chosen = chooseCommand(args, context.version, (text) => void context.stdout.write(text));
    if (chosen === null) return 0;
    const command = await chosen.load();
    return await command(context, chosen.args);
  } catch (error) {
    const { text, exitCode } = describeFailure(error, wantsStack(args, context.environment));
    context.stderr.write(text);
    return exitCode;
  }
};
