// Where the proofs are played: a proxy of its own in this process, signed in and listening, with a data
// folder that is thrown away, before the simulated Anthropic. Default settings: what is proved is the
// program. Nothing of the person's own is read or written, nothing leaves the machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "../app/app.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createUpstream } from "../demo/upstream.ts";
import type { Upstream } from "../demo/upstream.ts";
import { systemRandom } from "../lib/random.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { CliContext } from "../cli/context.ts";
import type { Answer, RawField } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import { createStepClock } from "./step-clock.ts";
import type { StepClock } from "./step-clock.ts";
import { openWire } from "./wire.ts";
import type { Wire } from "./wire.ts";

export type StageDeps = Pick<CliContext, "clock" | "version"> & {
  readonly createApp: CliContext["parts"]["createApp"];
  /** How long a proof waits for a single thing to happen. */
  readonly patienceMs: number;
};

export type Stage = {
  readonly clock: CliContext["clock"];
  readonly patienceMs: number;
  readonly upstream: Upstream;
  /** Lets the simulated upstream go on after a pause, or not pause at all the next time. */
  readonly step: StepClock["step"];
  readonly key: Secret;
  readonly host: string;
  /** A new connection to the listener. */
  open(): Promise<Wire>;
  /** Everything that every client of this stage has received so far. */
  received(): readonly Buffer[];
};

/** Plays `scenes` on a fresh stage and clears it away. Throws when the stage cannot be set up. */
export const withStage = async <T>(deps: StageDeps, scenes: (stage: Stage) => Promise<T>): Promise<T> => {
  const stepClock = createStepClock(deps.clock);
  const upstream = await createUpstream({ clock: stepClock, random: systemRandom, keepBodyBytes: 4 * 1024 * 1024 });
  const dir = await mkdtemp(join(tmpdir(), "claude-oauth-proxy-doctor-"));
  let app: App | null = null;
  try {
    app = await deps.createApp({
      config: ownConfig(upstream),
      dir,
      version: deps.version,
      environment: {},
      askPassphrase: async () => null,
      clock: deps.clock,
      accountId: null,
    });
    return await scenes(await openStage(deps, app, { upstream, step: stepClock.step }));
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

const openStage = async ({ clock, patienceMs }: StageDeps, app: App, sim: Pick<Stage, "upstream" | "step">): Promise<Stage> => {
  const { port } = await app.start();
  const { attemptId, authorizeUrl } = await app.commands.startLogin({});
  await app.commands.submitCode(secret(await sim.upstream.approve(authorizeUrl)), attemptId);
  const wires: Wire[] = [];
  return {
    ...sim,
    clock,
    patienceMs,
    key: app.key ?? secret(""),
    host: `127.0.0.1:${port}`,
    async open() {
      const wire = await openWire({ port, clock, patienceMs });
      wires.push(wire);
      return wire;
    },
    received: () => wires.map((wire) => wire.received()),
  };
};

// Asked twice: the second time it does not wait for what a failed proof has left open.
const stop = async (app: App | null): Promise<void> => {
  if (app === null) return;
  void app.commands.stop("doctor");
  await app.commands.stop("doctor");
};

export type Asking = {
  /** Put in front of the local key, which comes last. */
  readonly fields?: readonly RawField[];
  readonly body?: Buffer;
  /** Sent in two chunks instead of with a length. */
  readonly chunked?: boolean;
};

/** The bytes of `POST /v1/messages`. */
export const requestBytes = ({ key, host }: Pick<Stage, "key" | "host">, { fields = ordinaryFields, body = ordinaryBody, chunked = false }: Asking): Buffer => {
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

/** Sends one request and gives the whole answer. Throws when it does not come, or breaks off. */
export const ask = async (stage: Stage, asking: Asking = {}): Promise<Answer> => {
  const wire = await stage.open();
  try {
    wire.send(requestBytes(stage, asking));
    const answer = (): Answer | null => readAnswer(wire.received());
    await wire.until("a whole answer", () => answer()?.complete === true);
    const whole = answer();
    if (whole === null) throw new Error("the answer has vanished");
    return whole;
  } finally {
    wire.leave();
  }
};
