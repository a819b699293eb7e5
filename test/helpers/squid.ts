// A real forward proxy: Squid, speaking TLS itself, with a user and a password, a host it forbids, and names
// that only it can look up. It writes down every header field it sees.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificate } from "../demo/certificate.ts";
import { eventually } from "./eventually.ts";
import { killGroup, releaseLater, reservePort } from "./leftovers.ts";

// Where Debian puts it is not in everybody's PATH.
const environment = { PATH: `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin` };

/** False on a machine without Squid: `describe.skipIf(!hasSquid)` says so in the report. */
export const hasSquid = spawnSync("squid", ["-v"], { env: environment }).status === 0;

export type Squid = {
  readonly port: number;
  /** Waits until Squid has noted a line with `wanted`; every line is status, target, user, header fields. */
  noted(wanted: string): Promise<string>;
  /** All that Squid has noted or said so far. */
  said(): string;
  /** Needed only for what a `beforeAll` started; else it ends with the test. */
  stop(): void;
};

/** Its one user is `me`, its password `p@ss`; `*.example` is this machine, `forbidden.example` is not let through. */
export const startSquid = async (certificate: Certificate): Promise<Squid> => {
  const folder = mkdtempSync(join(tmpdir(), "cop-"));
  // Started by root, Squid goes on as a user of its own.
  chmodSync(folder, 0o777);
  const port = await reservePort();
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o644 });
  write("key", certificate.key);
  write("certificate", certificate.cert);
  write("hosts", "127.0.0.1 upstream.example other.example forbidden.example\n");
  write("auth", 'while read -r given; do [ "$given" = "me p@ss" ] && echo OK || echo ERR; done\n');
  write("squid.conf", settings(folder, port));
  const child = spawn("squid", ["-N", "-f", join(folder, "squid.conf")], { env: environment, cwd: folder, stdio: "ignore", detached: true });
  const stop = releaseLater(() => {
    if (child.pid !== undefined) killGroup(child.pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const said = (): string => textOf(join(folder, "access.log")) + textOf(join(folder, "cache.log"));
  await eventually(() => accepts(port), (listening) => listening, { what: "Squid to listen" }).catch((error: unknown) => {
    throw new Error(`Squid did not start:\n${said()}`, { cause: error });
  });
  return { port, said, stop, noted: (wanted) => eventually(() => textOf(join(folder, "access.log")), (text) => text.includes(wanted), { what: `Squid to note ${wanted}` }) };
};

const settings = (folder: string, port: number): string => `
https_port 127.0.0.1:${port} tls-cert=${folder}/certificate tls-key=${folder}/key
hosts_file ${folder}/hosts
auth_param basic program /bin/sh ${folder}/auth
auth_param basic children 1
acl named proxy_auth REQUIRED
acl forbidden dstdomain forbidden.example
http_access deny forbidden
http_access allow named
http_access deny all
logformat seen %>Hs %ru %[un %>h
access_log stdio:${folder}/access.log logformat=seen
buffered_logs off
cache_log ${folder}/cache.log
debug_options ALL,1 11,2
pid_filename none
coredump_dir ${folder}
netdb_filename none
pinger_enable off
cache deny all
`;

const textOf = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
