// Our own program with one account. CHECKOUT may name the folder of another build of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../program.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-proxy-"));
const account = { provider_id: "bench", kind: "api_key", label: "bench", access_token: "sk-ant-api03-benchmark-only-not-a-real-key", enabled: true, priority: 1, created_at: "2026-01-01T00:00:00Z" };
const settings = [`upstream.baseUrl=http://127.0.0.1:${process.env["UPSTREAM_PORT"]}`];
const { child, pid, port, key } = await startProgram({ folder, accounts: { bench: account }, settings, checkout: process.env["CHECKOUT"] });
child.once("exit", (code) => process.exit(code ?? 1));
process.on("disconnect", () => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
process.send?.({ port, pid, headers: [`authorization: Bearer ${key}`] });
