// The command line as a process, straight from the sources: what `bin/` does after its checks.
import { main } from "../../src/cli/main.ts";

await main(process.argv.slice(2));
