// Starts a rival's server on a free port and tells the run; ends when the run ends.
import type { Server } from "node:net";

/** Listens, then tells the run the port. */
export const announce = (server: Server): void => {
  server.listen(0, "127.0.0.1", 4096, () => {
    const address = server.address();
    process.send?.({ port: typeof address === "object" ? address?.port : null, headers: [] });
  });
  process.on("disconnect", () => process.exit(0));
};
