// The maintained heir of http-proxy.
import { Agent, createServer } from "node:http";
import { createProxyServer } from "httpxy";
import { announce } from "./announce.ts";

const proxy = createProxyServer({ target: `http://127.0.0.1:${process.env["UPSTREAM_PORT"]}`, agent: new Agent({ keepAlive: true }) });
announce(createServer((request, response) => void proxy.web(request, response).catch(() => response.destroy())));
