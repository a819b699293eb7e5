// What the program is opened with: everything from outside that the parts below are handed.
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Bus } from "../messages/bus.ts";
import type { ThisProcess } from "../storage/processes.ts";

export type Opening = {
  readonly config: Config;
  /** The data folder, absolute. */
  readonly dir: string;
  /** Our own version. */
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked only when the store is sealed by a passphrase that the environment does not hold. */
  readonly askPassphrase: () => Promise<Secret | null>;
  /** Node's `process`, as far as the store needs it to tell processes apart. */
  readonly process: ThisProcess;
  readonly clock?: Clock;
  readonly random?: Random;
  /** For who wants to hear what opening itself has to say (a repaired file mode, a damaged file). */
  readonly bus?: Bus;
};
