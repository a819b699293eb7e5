// The words the gate speaks: what it looks at, and what it may say.
import { meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import type { Inbound } from "./inbound.ts";

/** The request line and the fields of one request. */
export type Head = { readonly method: string; readonly target: string; readonly inbound: Inbound };

/** A refusal as a value; `message` and `hint` are sentences for the client. */
export type Denied = {
  readonly ok: false;
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryAfterSeconds?: number;
  /** The methods of a path that does not know this one (RFC 9110 section 15.5.6). */
  readonly allow?: string;
};

/** `corsOrigin` is the configured foreign origin that gets CORS headers, null for everybody else. */
export type Screened = { readonly ok: true; readonly corsOrigin: string | null } | Denied;

/** The refusal for `code`, with the status of the error table. */
export const deny = (code: ErrorCode, message: string, hint?: string): Denied => ({
  ok: false,
  status: meaningOf(code).status,
  code,
  message,
  ...(hint === undefined ? {} : { hint }),
});
