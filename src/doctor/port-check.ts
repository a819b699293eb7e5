// The port: free, ours, or somebody else's; and whether this user may listen there at all. Pure.
import type { Running } from "../cli/running.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type PortWish = {
  readonly host: string;
  readonly port: number;
  readonly running: Running;
  /** Why nobody can listen there (a system error code), null when one can. */
  readonly fault: string | null;
};

export const portCheck = ({ host, port, running, fault }: PortWish): Finding => {
  const place = `${host}:${port}`;
  if (port === 0) return ok("port", "0: any free one");
  switch (running.is) {
    case "ours":
      return ok("port", `${place}: our proxy runs there (version ${running.health.version}, ${running.health.mode})`);
    case "other-folder":
      return warning("port", `${place}: a claude-oauth-proxy with another data folder or key (version ${running.health.version})`, "Use that one's --dir, or another port: --port 0");
    case "foreign":
      return problem("port", `${place} is taken by another program`, "Choose another one: --port 0, or config set server.port N");
    case "none":
      return fault === null ? ok("port", `${place} is free`) : problem("port", `nobody can listen on ${place} (${fault})`, adviceFor(fault));
  }
};

const adviceFor = (fault: string): string => {
  if (fault === "EACCES") return "Ports below 1024 need rights you do not have: choose a higher one.";
  return fault === "EADDRINUSE" ? "Another program holds it: choose another one with --port." : "server.host must be an address of this machine, such as 127.0.0.1.";
};
