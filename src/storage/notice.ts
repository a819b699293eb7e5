// What storage found and dealt with, as a value: the app turns it into a `notice` event.

/** A sentence for a person; `code` is stable. Never holds a secret or a piece of a credentials file. */
export type StorageNotice = {
  readonly level: "info" | "warning" | "error";
  readonly code:
    | "modes-repaired"
    | "modes-too-wide"
    | "moved-aside"
    | "restored"
    | "backup-unwritten"
    | "not-synced"
    | "entry-unused"
    | "certificates-foreign"
    | "key-replaced"
    | "history-unsaved"
    | "reseal-failed"
    | "seal-unmarked";
  readonly message: string;
  readonly hint: string | null;
};

export type OnNotice = (notice: StorageNotice) => void;

/** Passes every distinct notice on once, so that a check that runs every 30 s does not repeat itself. */
export const onceEach = (onNotice: OnNotice): OnNotice => {
  const seen = new Set<string>();
  return (notice) => {
    const key = `${notice.code} ${notice.message}`;
    if (seen.has(key)) return;
    seen.add(key);
    onNotice(notice);
  };
};
