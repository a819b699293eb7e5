// `doctor`: checks the surroundings one by one, then proves that the proxy is transparent. It changes nothing, and
// calls neither the configured upstream nor the token endpoint.
import { lookAtFolder, lookForProxies, outboundPlan } from "../app/inspect.ts";
import type { FolderLook } from "../app/inspect.ts";
import type { CliContext, Command, ParsedArgs } from "../cli/context.ts";
import { bindFault, findRunning, lookAt } from "../cli/running.ts";
import type { Running } from "../cli/running.ts";
import { folderOf, loadFrom, preferencesOf } from "../cli/settings.ts";
import { loadConfig } from "../config/load.ts";
import type { Loaded } from "../config/load.ts";
import { originOf } from "../lib/host.ts";
import { base64url, systemRandom } from "../lib/random.ts";
import { createRedact } from "../lib/redact.ts";
import { secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { readTerminal } from "../tui/edges/terminal.ts";
import { answerProofs } from "./answer-proofs.ts";
import { credentialProofs } from "./credential-proofs.ts";
import { accountChecks, folderChecks, settingsChecks } from "./data-checks.ts";
import type { SettingsFacts } from "./data-checks.ts";
import { clockCheck, debuggerCheck, desktopChecks, nodeCheck, terminalChecks } from "./machine-checks.ts";
import { readMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { clientChecks, outboundChecks, portCheck, proxyFileCheck } from "./network-checks.ts";
import { proveAll } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { isFine, reportJson, reportText } from "./report.ts";
import type { Finding, Report } from "./report.ts";
import { requestProofs } from "./request-proofs.ts";
import { streamProofs } from "./stream-proofs.ts";

/** In the order in which they are carried out. */
export const allProofs: readonly Proof[] = [...requestProofs, ...streamProofs, ...answerProofs, ...credentialProofs];

/** Longer than any machine under load needs; a proof that waits so long has failed. */
const proofPatienceMs = 5000;

/** Exit code 1 when there is a problem; warnings do not count. */
export const doctor: Command = async (context, args) => {
  const machine = await readMachine(context);
  const settings = readSettings(context, args);
  const look = lookAtFolder(settings.dir, { uid: machine.uid, clock: context.clock });
  const report: Report = {
    checks: await checksOf({ context, args, machine, settings, look }),
    proofs: await proveAll(allProofs, { clock: context.clock, version: context.version, createApp: context.parts.createApp, patienceMs: proofPatienceMs }),
  };
  const redact = createRedact(() => (look.key === null ? [] : [look.key]));
  context.stdout.write(`${args.options["json"] === true ? reportJson(report, redact) : reportText(report, redact)}\n`);
  return isFine(report) ? 0 : 1;
};

type Facts = {
  readonly context: CliContext;
  readonly args: ParsedArgs;
  readonly machine: Machine;
  readonly settings: UsableSettings;
  readonly look: FolderLook;
};

const checksOf = async (facts: Facts): Promise<readonly Finding[]> => {
  const { context, machine, settings, look } = facts;
  const { config, dir } = settings;
  const { host, port } = config.server;
  const { environment, clock, connect } = context;
  const now = clock.now();
  const known = lookForProxies(dir, machine.process);
  // Without a key of ours no proxy can know it, so one that answers has another folder.
  const query = { host, port, key: look.key ?? secret(base64url(systemRandom(32))), proxies: known.proxies, connect, withKey: "details" } as const;
  const atPort: Running = port === 0 ? { is: "none" } : await lookAt(originOf(host, port), query);
  const running = atPort.is === "ours" ? atPort : await findRunning({ ...query, port: 0 });
  const fault = atPort.is === "none" && port !== 0 ? await bindFault(host, port) : null;
  return [
    nodeCheck(machine.node),
    debuggerCheck(context.debuggerAt),
    ...(await terminalAndDesktop(facts)),
    ...folderChecks({ dir, look, uid: machine.uid, mayUnseal: settings.mayUnseal }),
    ...settingsChecks(settings),
    proxyFileCheck(known),
    portCheck({ host, port, running: atPort, fault }),
    clockCheck({ now, installedAt: machine.installedAt, newestFileAt: newestOf(look) }),
    ...(await outboundChecks({ plan: outboundPlan(config.upstream, environment), environment, caFile: config.upstream.caFile, now, readText: machine.readText })),
    ...clientChecks({ environment, config, url: running.is === "ours" ? running.url : originOf(host, port), key: look.key }),
    ...accountChecks({ mode: running.is === "ours" ? running.health.mode : config.mode, running, look, now }),
  ];
};

const terminalAndDesktop = async ({ context, args, machine }: Facts): Promise<readonly Finding[]> => {
  const { environment, platform, stdin, stdout } = context;
  const isTerminal = stdout.isTTY === true;
  const facts = readTerminal({ stdinIsTty: stdin.isTTY === true, stdoutIsTty: isTerminal, env: environment, platform, headless: false, ascii: args.global.ascii });
  return [
    ...terminalChecks({ facts, environment, machine }),
    ...(await desktopChecks({ facts, environment, platform, isTerminal, hasProgram: machine.hasProgram })),
  ];
};

const newestOf = ({ folder, files }: FolderLook): number => Math.max(folder?.modifiedAt ?? 0, ...files.map(({ modifiedAt }) => modifiedAt));

type UsableSettings = SettingsFacts & { readonly dir: string; readonly mayUnseal: boolean };

/** Settings although some of them are wrong: those are listed, and the rest is used. Never throws: at worst every value is the default. */
export const readSettings = (context: CliContext, args: ParsedArgs): UsableSettings => {
  const file = preferencesOf(context, args, { changesNothing: true });
  const { path } = file;
  const { values, problem } = readFile(() => file.read());
  const whole = loadFrom(context, args, { path, values: values ?? {} });
  const problems = [...(problem === null ? [] : [problem]), ...(whole.ok ? [] : whole.problems)];
  const loaded = firstUsable([
    whole,
    loadFrom(context, args, { path, values: {} }),
    loadFrom({ ...context, environment: {} }, args, { path, values: {} }),
    loadConfig({ flags: [], set: [], environment: {}, file: null }),
  ]);
  const { config } = loaded;
  const mayUnseal = config.storage.encryption === "none" && loaded.originOf("storage.encryption").from !== "default";
  return { dir: folderOf(context, args), path, exists: values !== null, problems, config, mayUnseal };
};

type Values = Readonly<Record<string, unknown>> | null;

const readFile = (read: () => Values): { readonly values: Values; readonly problem: string | null } => {
  try {
    return { values: read(), problem: null };
  } catch (error) {
    return { values: null, problem: error instanceof AppError ? error.message : "the preferences file cannot be read" };
  }
};

const firstUsable = (attempts: readonly Loaded[]): Loaded & { readonly ok: true } => {
  for (const attempt of attempts) if (attempt.ok) return attempt;
  throw new AppError({ code: "bad-config", message: "The default settings are not accepted." });
};
