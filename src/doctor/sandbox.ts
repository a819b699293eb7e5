// Where the proofs are carried out: a proxy of its own in this process, signed in and listening, with a data folder
// that is thrown away, before the simulated Anthropic. Default settings, because the program itself is to be proved.
// Nothing of the person's own is read or written, nothing leaves the machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "../app/app.ts";
import type { CliContext } from "../cli/context.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createUpstream } from "../demo/upstream.ts";
import type { Upstream } from "../demo/upstream.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { openConnection, readAnswer } from "./raw-client.ts";
import type { Answer, Connection, RawField } from "./raw-client.ts";

export type SandboxDeps = {
  readonly clock: Clock;
  readonly version: string;
  readonly createApp: CliContext["parts"]["createApp"];
  /** How long a proof waits for a single thing to happen. */
  readonly patienceMs: number;
};

export type Sandbox = {
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly upstream: Upstream;
  /** Lets the simulated upstream go on after a pause, or not pause at all the next time. */
  readonly step: StepClock["step"];
  readonly key: Secret;
  readonly host: string;
  /** A new connection to the listener. */
  open(): Promise<Connection>;
  /** Everything that every client of this sandbox has received so far. */
  received(): readonly Buffer[];
};

/** Runs `work` in a fresh sandbox and clears it away. Throws when the sandbox cannot be set up. */
export const withSandbox = async <T>({ clock, version, createApp, patienceMs }: SandboxDeps, work: (sandbox: Sandbox) => Promise<T>): Promise<T> => {
  const stepClock = createStepClock(clock);
  const upstream = await createUpstream({ clock: stepClock, random: systemRandom, keepBodyBytes: 4 * 1024 * 1024 });
  const dir = await mkdtemp(join(tmpdir(), "claude-oauth-proxy-doctor-"));
  let app: App | null = null;
  try {
    app = await createApp({ config: ownConfig(upstream), dir, version, environment: {}, askPassphrase: async () => null, clock, accountId: null });
    const { port } = await app.start();
    const { attemptId, authorizeUrl } = await app.commands.startLogin({});
    await app.commands.submitCode(secret(await upstream.approve(authorizeUrl)), attemptId);
    const connections: Connection[] = [];
    return await work({
      clock,
      patienceMs,
      upstream,
      step: stepClock.step,
      key: app.key ?? secret(""),
      host: `127.0.0.1:${port}`,
      async open() {
        const connection = await openConnection({ port, clock, patienceMs });
        connections.push(connection);
        return connection;
      },
      received: () => connections.map((connection) => connection.received()),
    });
  } finally {
    await stop(app);
    await upstream.close();
    await rm(dir, { recursive: true, force: true });
  }
};

const ownConfig = (upstream: Upstream): Config => {
  const set = Object.entries({ ...upstream.settings(), "server.port": 0, "server.drainSeconds": 0 }).map(([key, value]) => `${key}=${value}`);
  const loaded = loadConfig({ flags: [], set, environment: {}, file: null });
  if (!loaded.ok) throw new AppError({ code: "bad-config", message: loaded.problems.join("; ") });
  return loaded.config;
};

// Asked twice: the second time it does not wait for what a failed proof has left open.
const stop = async (app: App | null): Promise<void> => {
  if (app === null) return;
  void app.commands.stop("doctor");
  await app.commands.stop("doctor");
};

export type RawRequest = {
  /** Put in front of the local key, which comes last. */
  readonly fields?: readonly RawField[];
  readonly body?: Buffer;
  /** Sent in two chunks instead of with a length. */
  readonly chunked?: boolean;
};

/** Sends one request and gives the whole answer. Throws when it does not come, or breaks off. */
export const ask = async (sandbox: Sandbox, request: RawRequest = {}): Promise<Answer> => {
  const connection = await sandbox.open();
  try {
    connection.send(requestBytes(sandbox, request));
    const answer = (): Answer | null => readAnswer(connection.received());
    await connection.until("a whole answer", () => answer()?.complete === true);
    const whole = answer();
    if (whole === null) throw new Error("the answer has vanished");
    return whole;
  } finally {
    connection.leave();
  }
};

/** The bytes of `POST /v1/messages`. */
export const requestBytes = ({ key, host }: Pick<Sandbox, "key" | "host">, { fields = ordinaryFields, body = ordinaryBody, chunked = false }: RawRequest = {}): Buffer => {
  const framing: RawField = chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.length)];
  const all: readonly RawField[] = [["Host", host], ...fields, framing, ["Authorization", `Bearer ${key.reveal()}`]];
  const head = `POST /v1/messages?beta=true HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), ...(chunked ? inChunks(body) : [body])]);
};

const inChunks = (body: Buffer): readonly Buffer[] => {
  const half = Math.floor(body.length / 2);
  const framed = [body.subarray(0, half), body.subarray(half)].flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
  return [...framed, Buffer.from("0\r\n\r\n")];
};

const ordinaryFields: readonly RawField[] = [
  ["Content-Type", "application/json"],
  ["anthropic-version", "2023-06-01"],
];

const ordinaryBody = Buffer.from(JSON.stringify({ model: "claude-sonnet-4-6", max_tokens: 64, messages: [{ role: "user", content: "Say nothing." }] }));

export type StepClock = Clock & {
  /** Ends the pause that has waited longest, or the next one when none has begun yet. */
  step(): void;
};

/**
 * The clock of the simulated upstream: the hour is right, but a pause lasts until `step` is called. So the next piece
 * of a stream cannot be sent before the one before it was seen at the other end.
 */
export const createStepClock = (clock: Clock): StepClock => {
  const waiting = new Set<() => void>();
  let owed = 0;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout(callback): Timer {
      // An own function per timer, so that the same callback may wait twice.
      const wake = (): void => callback();
      if (owed > 0) {
        owed -= 1;
        setImmediate(wake);
      } else waiting.add(wake);
      return { cancel: () => void waiting.delete(wake) };
    },
    setInterval: (callback, ms) => clock.setInterval(callback, ms),
    step() {
      const [first] = waiting;
      if (first === undefined) {
        owed += 1;
        return;
      }
      waiting.delete(first);
      first();
    },
  };
};
