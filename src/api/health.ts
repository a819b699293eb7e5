// GET /health: can this proxy serve, and how are its accounts. Open to everybody who reaches the port.
import { respondJson } from "../server/respond.ts";
import { canServe, viewAccount } from "./account-view.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

type Deps = Pick<ApiDeps, "store" | "clock" | "version" | "mode" | "refreshLeadSeconds">;

/** 200 `ok`, or 503 `sign-in-needed` when no account holds a usable credential. */
export const createHealth = ({ store, clock, version, mode, refreshLeadSeconds }: Deps): Endpoint => {
  const startedAt = clock.monotonic();
  return ({ response, access }) => {
    const { accounts, requests, refreshes } = store.snapshot();
    const options = { refreshes, now: clock.now(), refreshLeadSeconds, keyShown: access !== "none" };
    // In pass-through mode the client brings its own login.
    const ready = mode === "pass-through" || canServe(accounts);
    respondJson(response, ready ? 200 : 503, {
      status: ready ? "ok" : "sign-in-needed",
      version,
      uptime_seconds: Math.floor((clock.monotonic() - startedAt) / 1000),
      mode,
      accounts: accounts.map((row) => viewAccount(row, options)),
      in_flight: requests.inFlight,
      requests_total: requests.total,
    });
  };
};
