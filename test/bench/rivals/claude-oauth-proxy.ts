// Our own program as people start it: built, with an account, the local key required, metering, events and
// the log on. Only the upstream is another one.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const folder = mkdtempSync(join(tmpdir(), "bench-proxy-"));
const bin = join(import.meta.dirname, "../../../bin/claude-oauth-proxy.js");
const shared = ["--dir", folder, "--set", `upstream.baseUrl=http://127.0.0.1:${process.env.UPSTREAM_PORT}`];

const addKey = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, "accounts", "add-key", "bench", ...shared], { stdio: ["pipe", "ignore", "inherit"] });
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`add-key: exit ${code}`))));
    child.stdin.end("sk-ant-api03-benchmark-only-not-a-real-key\n");
  });

await addKey();
const child = spawn(process.execPath, [bin, "start", "--headless", "--port", "0", "--log-format", "json", "--set", "log.level=warn", ...shared], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, NODE_ENV: "production" },
});
for await (const line of createInterface(child.stdout)) {
  const event = JSON.parse(line) as { type: string; port?: number };
  if (event.type !== "server.listening") continue;
  const key = readFileSync(join(folder, "key"), "utf8").trim();
  process.send?.({ port: event.port, pid: child.pid, headers: [`authorization: Bearer ${key}`] });
  break;
}
child.stdout.resume();
child.once("exit", (code) => process.exit(code ?? 1));
process.on("disconnect", () => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
