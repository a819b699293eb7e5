// The real parts, each loaded when it is first needed: `print-key` pays neither for undici nor for Ink.
import type { Parts } from "./context.ts";

/** What `main` puts into the context. */
export const parts: Parts = {
  async createApp(wish) {
    const { createApp } = await import("../app/create-app.ts");
    return createApp({ ...wish, process });
  },
  async openStore(wish) {
    const { openStore } = await import("../app/open-store.ts");
    return openStore({ ...wish, process });
  },
  async loadScreens(context) {
    const { createScreens } = await import("./screens.ts");
    return createScreens(context);
  },
};
