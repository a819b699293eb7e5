// What is possible without Node: nginx with one worker, where the system has it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { holdPort } from "../../helpers/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-nginx-"));
const { port } = await holdPort();
writeFileSync(join(folder, "nginx.conf"), `
worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off; client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 10000000;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream bench { server 127.0.0.1:${process.env["UPSTREAM_PORT"]}; keepalive 512; keepalive_requests 10000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 1h; }
  }
}`);
const nginx = spawn("nginx", ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], { stdio: "inherit" });
nginx.once("exit", (code) => process.exit(code ?? 1));
process.on("disconnect", () => {
  nginx.removeAllListeners("exit").once("exit", () => process.exit(0));
  nginx.kill();
  rmSync(folder, { recursive: true, force: true });
});
// The worker does the work, not the master that was started.
let worker = "";
for (; worker === ""; await pause(20)) worker = readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, "utf8").trim();
process.send?.({ port, pid: Number(worker) });
