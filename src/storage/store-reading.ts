// What to start from when the credentials are read: the live file, else its backup, else what this
// process read last. Only reads; nothing here changes the disk (apart from modes that are too wide).
import { isUtf8 } from "node:buffer";
import type { DataFiles } from "./paths.ts";
import { readPrivate } from "./private-file.ts";
import type { Guard } from "./private-file.ts";
import type { Seal, SealMode } from "./seal.ts";
import { emptyStore, parseStore } from "./store-text.ts";
import type { StoreDocument } from "./store-text.ts";

export type Source = "live" | "backup" | "memory" | "nothing";

export type Reading = {
  readonly store: StoreDocument;
  readonly from: Source;
  /** Plain text of the live file, when it is the source. */
  readonly plain: string | null;
  /** Why the live file cannot be used; null when it is good, or missing. */
  readonly broken: string | null;
  readonly liveExists: boolean;
  readonly sealedAs: SealMode | "unknown" | null;
  /** The backup is byte for byte what the live file is. */
  readonly backupEqual: boolean;
  /** Changes when the live file does (see `stampOf`). */
  readonly stamp: string;
};

/** The two files as they are now. */
export type Raw = { readonly live: Text | null; readonly backup: Text | null };
type Text = { readonly text: string; readonly stamp: string };

/** Throws `store-unreadable` when the live file is there but must not or cannot be read. */
export const readRaw = (paths: DataFiles, guard: Guard): Raw => ({
  live: textAt(paths.accounts, guard),
  backup: backupAt(paths.backup, guard),
});

const textAt = (path: string, guard: Guard): Text | null => {
  const found = readPrivate(path, guard);
  if (found === null) return null;
  // Broken UTF-8 would come back from a rewrite as other characters; a NUL is no JSON and so counts as broken.
  const text = isUtf8(found.bytes) ? found.bytes.toString("utf8").replace(/^\uFEFF/, "") : "\0";
  return { text, stamp: found.stamp };
};

/** A backup that cannot be read must not keep a good live file from being used. */
const backupAt = (path: string, guard: Guard): Text | null => {
  try {
    return textAt(path, guard);
  } catch {
    return null;
  }
};

/** Synchronous, after `seal.prepare` of both texts. Throws `store-sealed` for a wrong key. */
export const interpret = ({ live, backup }: Raw, seal: Seal, memory: StoreDocument | null): Reading => {
  const shared = {
    liveExists: live !== null,
    backupEqual: live !== null && live.text === backup?.text,
    stamp: live?.stamp ?? "",
  };
  const first = live === null ? null : understand(live.text, seal);
  if (first?.ok === true) return { ...shared, ...first, from: "live", broken: null };
  return { ...shared, ...fallBack(backup, seal, memory), broken: first?.reason ?? null, plain: null, sealedAs: null };
};

const fallBack = (backup: Text | null, seal: Seal, memory: StoreDocument | null): Pick<Reading, "store" | "from"> => {
  const understood = backup === null ? null : understand(backup.text, seal);
  if (understood?.ok === true) return { store: understood.store, from: "backup" };
  return memory === null ? { store: emptyStore, from: "nothing" } : { store: memory, from: "memory" };
};

const understand = (text: string, seal: Seal) => {
  const opened = seal.open(text);
  if (opened.outcome === "damaged") return { ok: false, reason: opened.reason } as const;
  const parsed = parseStore(opened.text);
  return parsed.ok ? ({ ok: true, store: parsed.store, plain: opened.text, sealedAs: seal.modeOf(text) } as const) : parsed;
};
