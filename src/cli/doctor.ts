// `doctor`: checks the surroundings one by one, then proves that the proxy is transparent. It changes
// nothing, and calls neither the configured upstream nor the token endpoint.
import { lookAtFolder } from "../app/look-at-folder.ts";
import type { FolderLook } from "../app/look-at-folder.ts";
import { outboundPlan } from "../app/outbound-plan.ts";
import { originOf } from "../lib/host.ts";
import { secret } from "../lib/secret.ts";
import { createRedact } from "../log/redact.ts";
import { readTerminal } from "../tui/edges/terminal.ts";
import { accountChecks } from "./doctor/account-checks.ts";
import { clientChecks } from "./doctor/client-checks.ts";
import { clockCheck } from "./doctor/clock-check.ts";
import { desktopChecks } from "./doctor/desktop-checks.ts";
import type { Finding } from "./doctor/finding.ts";
import { folderChecks } from "./doctor/folder-checks.ts";
import { readMachine } from "./doctor/machine.ts";
import type { Machine } from "./doctor/machine.ts";
import { outboundChecks } from "./doctor/outbound-checks.ts";
import { portCheck } from "./doctor/port-check.ts";
import { proveTransparency } from "./doctor/proofs/prove.ts";
import { isFine, reportJson, reportText } from "./doctor/report.ts";
import type { Report } from "./doctor/report.ts";
import { settingsChecks } from "./doctor/settings-checks.ts";
import { readSettings } from "./doctor/usable-settings.ts";
import type { UsableSettings } from "./doctor/usable-settings.ts";
import { nodeCheck, terminalChecks } from "./doctor/terminal-checks.ts";
import { bindFault } from "./free-port.ts";
import { findRunning } from "./running.ts";
import type { Running } from "./running.ts";
import type { Command, Given, World } from "./world.ts";

/** Longer than any machine under load needs; a proof that waits so long has failed. */
const proofPatienceMs = 5000;

/** Exit code 1 when there is a problem; warnings do not count. */
export const doctor: Command = async (world, given) => {
  const machine = await readMachine(world);
  const settings = readSettings(world, given);
  const look = lookAtFolder(settings.dir, { uid: machine.uid, clock: world.clock });
  const report: Report = {
    checks: await checksOf({ world, given, machine, settings, look }),
    proofs: await proveTransparency({ clock: world.clock, version: world.version, createApp: world.parts.createApp, patienceMs: proofPatienceMs }),
  };
  const redact = createRedact(() => (look.key === null ? [] : [look.key]));
  world.stdout.write(`${given.options["json"] === true ? reportJson(report, redact) : reportText(report, redact)}\n`);
  return isFine(report) ? 0 : 1;
};

type Seen = { readonly world: World; readonly given: Given; readonly machine: Machine; readonly settings: UsableSettings; readonly look: FolderLook };

const checksOf = async (seen: Seen): Promise<readonly Finding[]> => {
  const { world, machine, settings, look } = seen;
  const { config, dir } = settings;
  const { host, port } = config.server;
  const { environment, clock } = world;
  // Without a key of ours nobody can know it: whoever answers then has another folder.
  const running = await findRunning({ host, port, key: look.key ?? secret("none"), fetch: world.fetch });
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

const placeChecks = async ({ world, given, machine }: Seen): Promise<readonly Finding[]> => {
  const { environment, platform, stdin, stdout } = world;
  const facts = readTerminal({
    stdinIsTty: stdin.isTTY === true,
    stdoutIsTty: stdout.isTTY === true,
    env: environment,
    platform,
    headless: false,
    ascii: given.everywhere.ascii,
  });
  const desktop = { facts, environment, platform, isTerminal: stdout.isTTY === true, hasProgram: machine.hasProgram };
  return [...terminalChecks({ facts, environment, machine }), ...(await desktopChecks(desktop))];
};

const newestOf = ({ folder, files }: FolderLook): number => Math.max(folder?.modifiedAt ?? 0, ...files.map(({ modifiedAt }) => modifiedAt));

const modeOf = (running: Running, configured: string): string => (running.is === "ours" ? running.health.mode : configured);
