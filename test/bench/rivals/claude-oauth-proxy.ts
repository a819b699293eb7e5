// Our own program as people start it: built, with an account, the local key required, metering, events and
// the log on. Only the upstream is another one.
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "bench-proxy-"));
const bin = join(import.meta.dirname, "../../../bin/claude-oauth-proxy.js");
const shared = ["--dir", folder, "--set", `upstream.baseUrl=http://127.0.0.1:${process.env.UPSTREAM_PORT}`];

const addKey = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, "accounts", "add-key", ...shared], { stdio: ["pipe", "ignore", "inherit"] });
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`add-key: exit ${code}`))));
    child.stdin.end("sk-ant-api03-benchmark-only-not-a-real-key\n");
  });

/** The first line of the log says where it listens; the log goes to a file, as a service's would. */
const firstLine = async (file: string): Promise<{ port: number }> => {
  for (;;) {
    const line = readFileSync(file, "utf8")
      .split("\n")
      .find((text) => text.includes('"server.listening"'));
    if (line !== undefined) return JSON.parse(line) as { port: number };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

await addKey();
const log = join(folder, "log");
const child = spawn(process.execPath, [bin, "start", "--headless", "--port", "0", "--log-format", "json", ...shared], {
  stdio: ["ignore", openSync(log, "w"), "inherit"],
  env: { ...process.env, NODE_ENV: "production" },
});
child.once("exit", (code) => process.exit(code ?? 1));
process.on("disconnect", () => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
const { port } = await firstLine(log);
const key = readFileSync(join(folder, "key"), "utf8").trim();
process.send?.({ port, pid: child.pid, headers: [`authorization: Bearer ${key}`] });
