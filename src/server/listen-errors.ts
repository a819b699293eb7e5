// Why the port could not be opened, in a sentence with a way out.
import { AppError } from "../messages/errors.ts";
import type { ErrorParts } from "../messages/errors.ts";

/** The failure of `listen` as an `AppError`: `port-taken`, or `bad-config` for what cannot work at all. */
export const bindError = (error: NodeJS.ErrnoException, host: string, port: number): AppError => new AppError({ ...partsOf(error.code, host, port), cause: error });

/** Everybody in the network could spend the plan: refused before anything is bound. */
export const unsafeBind = (host: string): AppError =>
  new AppError({
    code: "unsafe-settings",
    message: `Listening on ${host} lets other machines in, and auth.required is off.`,
    hint: "Set auth.required to true, or listen on 127.0.0.1.",
  });

const partsOf = (code: string | undefined, host: string, port: number): ErrorParts => {
  switch (code) {
    case "EADDRINUSE":
      return { code: "port-taken", message: `Port ${port} on ${host} is already in use.`, hint: "Another claude-oauth-proxy may be running (see `claude-oauth-proxy status`); or choose another port with --port, 0 for any free one." };
    case "EACCES":
    case "EPERM":
      return { code: "bad-config", message: `This user may not listen on port ${port}.`, hint: "Choose a port above 1023, such as --port 4001." };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAFNOSUPPORT":
    case "EINVAL":
      return { code: "bad-config", message: `"${host}" is no address of this machine.`, hint: "Set server.host to 127.0.0.1, or to an address this machine has." };
    default:
      return { code: "bad-config", message: `Could not listen on ${host}, port ${port} (${code ?? "unknown error"}).` };
  }
};
