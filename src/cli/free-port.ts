// A port that nobody listens on right now.
import { createServer } from "node:net";

/** The first free port above `after` (at most 50 tries), null when there is none. */
export const nextFreePort = async (host: string, after: number): Promise<number | null> => {
  for (let port = after + 1; port <= Math.min(65_535, after + 50); port += 1) {
    if (await isFree(host, port)) return port;
  }
  return null;
};

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
