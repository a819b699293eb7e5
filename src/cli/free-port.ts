// A port that nobody listens on right now.
import { createServer } from "node:net";

/** The first free port above `after` (at most 50 tries), null when there is none. */
export const nextFreePort = async (host: string, after: number): Promise<number | null> => {
  for (let port = after + 1; port <= Math.min(65_535, after + 50); port += 1) {
    if ((await bindFault(host, port)) === null) return port;
  }
  return null;
};

/** The system's error code when nobody can listen there (`EADDRINUSE`, `EACCES`), null when it is free. */
export const bindFault = (host: string, port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
