// Lets a contender listen on a free port and tells the run; the contender ends with the run.
import type { AddressInfo, Server } from "node:net";

export const announce = (server: Server): void => {
  server.listen(0, "127.0.0.1", 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on("disconnect", () => process.exit(0));
};
