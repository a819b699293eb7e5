// The exact lines that make Claude Code use this proxy, and where it listens. The local key is never
// part of them: the shell asks the program for it.
import { originOf } from "../../lib/host.ts";
import type { AppState } from "../../state/state.ts";
import type { About } from "../view.ts";

export type SetupParts = { readonly live: Pick<AppState, "server">; readonly about: About };

/** `http://HOST:PORT` as a client on this machine reaches it. */
export const clientAddress = ({ live: { server } }: SetupParts): string => originOf(server.host ?? "127.0.0.1", server.port ?? 0);

/** Lines for a POSIX shell, ready to be pasted. */
export const setupLines = (parts: SetupParts): readonly string[] => {
  const { about, live } = parts;
  const base = `export ANTHROPIC_BASE_URL=${clientAddress(parts)}`;
  // Without a token Claude Code would ask to sign in, so it gets one even where no key is asked for.
  if (live.server.mode !== "pass-through") return [base, `export ANTHROPIC_AUTH_TOKEN="$(${about.program} print-key)"`, "claude"];
  return about.keyNeeded ? [base, `export ANTHROPIC_CUSTOM_HEADERS="x-claude-oauth-proxy-key: $(${about.program} print-key)"`, "claude"] : [base, "claude"];
};
