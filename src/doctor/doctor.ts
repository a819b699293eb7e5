// `doctor`: checks the surroundings one by one, then proves that the proxy is transparent. It changes
// nothing, and calls neither the configured upstream nor the token endpoint.
import { lookAtFolder } from "../app/look-at-folder.ts";
import type { FolderLook } from "../app/look-at-folder.ts";
import { outboundPlan } from "../app/outbound-plan.ts";
import { originOf } from "../lib/host.ts";
import { secret } from "../lib/secret.ts";
import { createRedact } from "../log/redact.ts";
import { readTerminal } from "../tui/edges/terminal.ts";
import { accountChecks } from "./account-checks.ts";
import { clientChecks } from "./client-checks.ts";
import { clockCheck } from "./clock-check.ts";
import { desktopChecks } from "./desktop-checks.ts";
import type { Finding } from "./finding.ts";
import { folderChecks } from "./folder-checks.ts";
import { readMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { outboundChecks } from "./outbound-checks.ts";
import { portCheck } from "./port-check.ts";
import { proveTransparency } from "./prove.ts";
import { isFine, reportJson, reportText } from "./report.ts";
import type { Report } from "./report.ts";
import { settingsChecks } from "./settings-checks.ts";
import { readSettings } from "./usable-settings.ts";
import type { UsableSettings } from "./usable-settings.ts";
import { nodeCheck, terminalChecks } from "./terminal-checks.ts";
import { bindFault } from "../cli/free-port.ts";
import { findRunning } from "../cli/running.ts";
import type { Running } from "../cli/running.ts";
import type { Command, ParsedArgs, CliContext } from "../cli/context.ts";

/** Longer than any machine under load needs; a proof that waits so long has failed. */
const proofPatienceMs = 5000;

/** Exit code 1 when there is a problem; warnings do not count. */
export const doctor: Command = async (context, args) => {
  const machine = await readMachine(context);
  const settings = readSettings(context, args);
  const look = lookAtFolder(settings.dir, { uid: machine.uid, clock: context.clock });
  const report: Report = {
    checks: await checksOf({ context, args, machine, settings, look }),
    proofs: await proveTransparency({ clock: context.clock, version: context.version, createApp: context.parts.createApp, patienceMs: proofPatienceMs }),
  };
  const redact = createRedact(() => (look.key === null ? [] : [look.key]));
  context.stdout.write(`${args.options["json"] === true ? reportJson(report, redact) : reportText(report, redact)}\n`);
  return isFine(report) ? 0 : 1;
};

type Seen = { readonly context: CliContext; readonly args: ParsedArgs; readonly machine: Machine; readonly settings: UsableSettings; readonly look: FolderLook };

const checksOf = async (seen: Seen): Promise<readonly Finding[]> => {
  const { context, machine, settings, look } = seen;
  const { config, dir } = settings;
  const { host, port } = config.server;
  const { environment, clock } = context;
  // Without a key of ours nobody can know it: whoever answers then has another folder.
  const running = await findRunning({ host, port, key: look.key ?? secret("none"), fetch: context.fetch });
  const fault = running.is === "none" && port !== 0 ? await bindFault(host, port) : null;
  return [
    nodeCheck(machine.node),
    ...(await placeChecks(seen)),
    ...folderChecks({ dir, look, uid: machine.uid }),
    ...settingsChecks(settings),
    portCheck({ host, port, running, fault }),
    clockCheck({ now: clock.now(), installedAt: machine.installedAt, newestFileAt: newestOf(look) }),
    ...(await outboundChecks({ plan: outboundPlan(config.upstream, environment), environment, caFile: config.upstream.caFile, now: clock.now(), readText: machine.readText })),
    ...clientChecks({ environment, config, url: originOf(host, port), key: look.key }),
    ...accountChecks({ mode: modeOf(running, config.mode), running, look, now: clock.now() }),
  ];
};

const placeChecks = async ({ context, args, machine }: Seen): Promise<readonly Finding[]> => {
  const { environment, platform, stdin, stdout } = context;
  const facts = readTerminal({
    stdinIsTty: stdin.isTTY === true,
    stdoutIsTty: stdout.isTTY === true,
    env: environment,
    platform,
    headless: false,
    ascii: args.global.ascii,
  });
  const desktop = { facts, environment, platform, isTerminal: stdout.isTTY === true, hasProgram: machine.hasProgram };
  return [...terminalChecks({ facts, environment, machine }), ...(await desktopChecks(desktop))];
};

const newestOf = ({ folder, files }: FolderLook): number => Math.max(folder?.modifiedAt ?? 0, ...files.map(({ modifiedAt }) => modifiedAt));

const modeOf = (running: Running, configured: string): string => (running.is === "ours" ? running.health.mode : configured);
