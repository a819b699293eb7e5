// The anchor that is no Node program: nginx with one worker, from the system's packages.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "bench-nginx-"));

const config = (port: number): string => `
worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off; client_max_body_size 64m; client_body_buffer_size 1m; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; keepalive_requests 10000000;
  upstream bench { server 127.0.0.1:${process.env.UPSTREAM_PORT}; keepalive 512; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } }
}`;

const free = createServer().listen(0, "127.0.0.1", () => {
  const address = free.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  free.close(() => {
    writeFileSync(join(folder, "nginx.conf"), config(port));
    const nginx = spawn("nginx", ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], { stdio: "inherit" });
    nginx.once("spawn", () => process.send?.({ port, headers: [] }));
    nginx.once("error", () => process.exit(1));
    process.on("disconnect", () => {
      nginx.kill();
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    });
  });
});
