import { describe, expect, it } from "vitest";
import { createTokenWriter } from "../../src/accounts/token-writer.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { accountsOf, anAccount, minute } from "./an-account.ts";
import { createMemoryStore, diskFull } from "./memory-store.ts";

const pair = (name: string) => anAccount({ accessToken: secret(`access-${name}`), refreshToken: secret(`refresh-${name}`) });

const createStory = (stored = accountsOf(pair("0"))) => {
  const clock = createFakeClock();
  const store = createMemoryStore(stored);
  const notices: EventDraft[] = [];
  const unsaved = new Map<string, boolean>();
  const registry = { isSuperseded: () => false, markUnsaved: (id: string, is: boolean) => void unsaved.set(id, is) };
  const writer = createTokenWriter({ clock, store, registry, publish: (event) => void notices.push(event) });
  const onDisk = (): string | undefined => store.current.get("ada")?.refreshToken?.reveal();
  return { clock, store, notices, unsaved, writer, onDisk };
};

describe("writing new tokens", () => {
  it("a write that is under way when a newer one comes does not win over it", async () => {
    const { clock, store, writer, onDisk } = createStory();
    store.fault = diskFull;
    await writer.write({ base: pair("0"), next: pair("1") });
    store.fault = null;
    const flushed = writer.flush();
    const kept = writer.write({ base: pair("1"), next: pair("2") });
    await flushed;
    expect(await kept).toMatchObject({ outcome: "stored" });
    expect(onDisk()).toBe("refresh-2");
    await clock.advance(minute);
    expect(onDisk()).toBe("refresh-2");
  });

  it("two failed writes in a row leave the newest to be stored, over what the first one started from", async () => {
    const { clock, store, writer, onDisk } = createStory();
    store.fault = diskFull;
    await writer.write({ base: pair("0"), next: pair("1") });
    await writer.write({ base: pair("1"), next: pair("2") });
    store.fault = null;
    await clock.advance(minute);
    expect(onDisk()).toBe("refresh-2");
  });

  it("a write that succeeds late does not make a newer one forgotten that failed meanwhile", async () => {
    const { clock, store, writer, onDisk } = createStory();
    const update = store.update;
    store.fault = diskFull;
    await writer.write({ base: pair("0"), next: pair("1") });
    store.fault = null;
    const gate = Promise.withResolvers<void>();
    store.update = (change) => gate.promise.then(() => update(change));
    const flushed = writer.flush();
    store.update = () => Promise.reject(diskFull);
    await writer.write({ base: pair("1"), next: pair("2") });
    store.update = update;
    gate.resolve();
    await flushed;
    expect(writer.isPending("ada")).toBe(true);
    await clock.advance(minute);
    expect(onDisk()).toBe("refresh-2");
  });

  it("a record with somebody else's tokens is left alone", async () => {
    const { store, writer, onDisk } = createStory(accountsOf(pair("other")));
    expect(await writer.write({ base: pair("0"), next: pair("1") })).toMatchObject({ outcome: "newer" });
    expect(onDisk()).toBe("refresh-other");
    expect(store.writes).toBe(1);
  });

  it("an account whose tokens are not stored yet is marked as such until they are", async () => {
    const { clock, store, writer, unsaved } = createStory();
    store.fault = diskFull;
    expect(await writer.write({ base: pair("0"), next: pair("1") })).toEqual({ outcome: "in-memory" });
    expect(unsaved.get("ada")).toBe(true);
    store.fault = null;
    await clock.advance(minute);
    expect(unsaved.get("ada")).toBe(false);
  });

  it("tries again after 1, 2, 4 … at most 60 seconds, and says it once", async () => {
    const { clock, store, writer, notices } = createStory();
    const tries: number[] = [];
    store.update = () => {
      tries.push(clock.monotonic() / 1000);
      return Promise.reject(diskFull);
    };
    await writer.write({ base: pair("0"), next: pair("1") });
    await clock.advance(4 * minute);
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(notices).toHaveLength(1);
  });

  it("an account that was signed out on purpose stays out", async () => {
    const { clock, store, writer } = createStory();
    store.fault = diskFull;
    await writer.write({ base: pair("0"), next: pair("1") });
    writer.forget("ada");
    store.fault = null;
    await clock.advance(minute);
    expect(store.writes).toBe(0);
    expect(writer.isPending("ada")).toBe(false);
  });

  it("stops for good when told to", async () => {
    const { clock, store, writer } = createStory();
    store.fault = diskFull;
    await writer.write({ base: pair("0"), next: pair("1") });
    writer.stop();
    await writer.flush();
    expect(clock.pendingTimers()).toBe(0);
  });
});
