// Follows the store: what another process signed in, refreshed, disabled or removed.
import type { AccountStore } from "./account.ts";
import type { Registry } from "./registry.ts";

export type Reload = () => Promise<void>;

/**
 * Reads the store into the registry. A reading that was overtaken by a sign-in or a removal in this
 * process is dropped: the next one will know better. Throws what the store throws.
 */
export const createReload = (store: Pick<AccountStore, "load">, registry: Registry): Reload => async () => {
  const revision = registry.revision();
  const stored = await store.load();
  if (registry.revision() === revision) registry.replaceAll(stored);
};
