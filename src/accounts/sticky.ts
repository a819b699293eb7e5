// Which account a session used last. Bounded: the least recently used session is forgotten first.

export type Sticky = { get(sessionId: string): string | null; set(sessionId: string, accountId: string): void };

/** Remembers at most `limit` sessions. */
export const createSticky = (limit = 1000): Sticky => {
  // A Map iterates in the order of insertion: re-inserting on use makes it the order of use.
  const sessions = new Map<string, string>();
  const touch = (sessionId: string, accountId: string): void => {
    sessions.delete(sessionId);
    sessions.set(sessionId, accountId);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= limit) break;
      sessions.delete(oldest);
    }
  };
  return {
    get(sessionId) {
      const accountId = sessions.get(sessionId);
      if (accountId === undefined) return null;
      touch(sessionId, accountId);
      return accountId;
    },
    set: touch,
  };
};
