// What one check or one proof has to say: a line, and what to do when it is not fine.

/** A warning is something to know; only a problem makes `doctor` fail. */
export type Status = "ok" | "warning" | "problem";

export type Finding = {
  readonly name: string;
  readonly status: Status;
  /** What was found, for a person: never a secret. */
  readonly found: string;
  /** What to do; null when there is nothing to do. */
  readonly advice: string | null;
};

export const ok = (name: string, found: string, advice: string | null = null): Finding => ({ name, status: "ok", found, advice });
export const warning = (name: string, found: string, advice: string | null): Finding => ({ name, status: "warning", found, advice });
export const problem = (name: string, found: string, advice: string | null): Finding => ({ name, status: "problem", found, advice });
