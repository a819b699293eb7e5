// Who may come in: decided on the head alone, before a byte of the body is read. Three questions in this
// order: is it one well-formed request, does it come from somewhere that may call, does it carry the key.
// Pure; runs for every request.
import type { Access } from "../api/call.ts";
import type { Secret } from "../lib/secret.ts";
import { createHostCheck } from "./host-names.ts";
import { createKeyCheck } from "./key-check.ts";
import { createOriginCheck } from "./origin-check.ts";
import type { Sessions } from "./session-cookie.ts";
import { deny } from "./verdict.ts";
import type { Denied, Head, Screened } from "./verdict.ts";

export type Unlocked = { readonly ok: true; readonly access: Access } | Denied;

export type AdmissionSettings = {
  readonly mode: "oauth" | "pass-through";
  /** Null: nobody has to show a key. */
  readonly key: Secret | null;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly sessions: Pick<Sessions, "find" | "csrfFits">;
};

export type Admission = {
  /** One well-formed request, to a name of ours, from nowhere foreign (DNS rebinding, cross-site requests). */
  screen(head: Head): Screened;
  /** The key. An open route lets everybody in, but knows the key when it is shown. */
  unlock(head: Head, route: { readonly open: boolean; readonly forwarded: boolean }): Unlocked;
};

/** The gate for one listening port; the key is hashed once. */
export const createAdmission = (settings: AdmissionSettings): Admission => {
  const { port, host: bound, allowedHosts: extra } = settings;
  const hostOf = createHostCheck({ port, bound, extra });
  const originOf = createOriginCheck(settings.allowedOrigins);
  const accessOf = createAccessCheck(settings);
  return {
    screen(head) {
      const fault = faultOfHead(head);
      if (fault !== null) return deny("bad-request", fault);
      if (!head.target.startsWith("/")) return deny("bad-request", "The request target must be a path.");
      const host = hostOf(head.inbound.host);
      if (host === "malformed") return deny("bad-request", "The Host header is not a host name.");
      if (host === "foreign") return deny("foreign-host", "This Host name is not served here.", "Use 127.0.0.1 or localhost with our port, or add the name to server.allowedHosts.");
      return originOf(head);
    },
    unlock(head, route) {
      const access = accessOf(head, route.forwarded);
      if (access === "forged") return deny("foreign-origin", "The x-csrf-token header is missing or wrong.", "Load /auth/device again and enter the key.");
      if (access !== "none" || route.open) return { ok: true, access };
      return deny("local-key", "The local key is missing or wrong.", "Run `claude-oauth-proxy env` for what a client needs, or `claude-oauth-proxy print-key` for the key.");
    },
  };
};

// What the reader of heads lets through, because each field is right by itself. The empty Host is left to the check of its name.
const faultOfHead = ({ inbound }: Head): string | null => {
  if (inbound.hostCount !== 1) return "A request needs exactly one Host header.";
  if (inbound.disguisedFraming) return "The length of the body is given more than once.";
  return inbound.authorizationCount > 1 || inbound.apiKeyCount > 1 ? "A credential is given more than once." : null;
};

const createAccessCheck = ({ key, mode, sessions }: AdmissionSettings) => {
  const check = key === null ? null : createKeyCheck(key);
  return (head: Head, forwarded: boolean): Access | "forged" => {
    if (check === null) return "key";
    const { inbound } = head;
    // In pass-through mode the credentials of a forwarded request are the client's own and go upstream:
    // the local key must not be among them.
    const shown = mode === "pass-through" ? check.inOwnHeader(inbound) || (!forwarded && check.inCredentials(inbound)) : check.inCredentials(inbound);
    if (shown) return "key";
    return sessionAccess(head, sessions);
  };
};

// A cookie comes along by itself: it opens only what merely reads, unless our own page says so too.
const sessionAccess = ({ method, inbound }: Head, sessions: AdmissionSettings["sessions"]): Access | "forged" => {
  const session = inbound.cookie === null ? null : sessions.find(inbound.cookie);
  if (session === null) return "none";
  if (method === "GET" || method === "HEAD") return "session";
  return sessions.csrfFits(session, inbound.csrf) ? "session" : "forged";
};
