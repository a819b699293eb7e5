// The library that most Node proxies were built on.
import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";
import { announce } from "./announce.ts";

const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${process.env["UPSTREAM_PORT"]}`, agent: new Agent({ keepAlive: true }) });
proxy.on("error", (_error, _request, response) => response.destroy());
announce(createServer((request, response) => proxy.web(request, response)));
