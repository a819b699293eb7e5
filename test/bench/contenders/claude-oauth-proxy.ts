// Our own program as people start it: built, with an account, the local key required, metering, events and the log on.
// Only the upstream is another one. CHECKOUT may name the folder of another build of it.
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const folder = mkdtempSync(join(tmpdir(), "bench-proxy-"));
const bin = join(process.env["CHECKOUT"] ?? join(import.meta.dirname, "../../.."), "bin/claude-oauth-proxy.js");
const shared = ["--dir", folder, "--set", `upstream.baseUrl=http://127.0.0.1:${process.env["UPSTREAM_PORT"]}`];

const addKey = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, "accounts", "add-key", ...shared], { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`add-key: exit ${code}: ${said}`))));
    child.stdin.end("sk-ant-api03-benchmark-only-not-a-real-key\n");
  });

/** The log goes to a file, as a service's would; one of its first lines says where the program listens. */
const portIn = async (file: string): Promise<number> => {
  for (;;) {
    const line = readFileSync(file, "utf8").split("\n").find((text) => text.includes('"server.listening"') && text.endsWith("}"));
    if (line !== undefined) return (JSON.parse(line) as { port: number }).port;
    await pause(20);
  }
};

await addKey();
const log = join(folder, "log");
const child = spawn(process.execPath, [bin, "start", "--headless", "--port", "0", "--log-format", "json", ...shared], { stdio: ["ignore", openSync(log, "w"), "inherit"] });
child.once("exit", (code) => process.exit(code ?? 1));
process.on("disconnect", () => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
const port = await portIn(log);
process.send?.({ port, pid: child.pid, headers: [`authorization: Bearer ${readFileSync(join(folder, "key"), "utf8").trim()}`] });
