// What breaks the rules of HTTP/1.1, on either side of the proxy, as an error with a code of its own for every kind:
// `proxy/explain.ts` and `server/broken-requests.ts` turn the code into words. It quotes nothing that came over the wire.

export type WireFaultCode =
  | "INVALID_REQUEST"
  | "CONNECTION_CLOSED"
  | "UPSTREAM_CLOSED"
  | "BAD_REQUEST_LINE"
  | "BAD_STATUS_LINE"
  | "BAD_HEADER_FIELD"
  | "BAD_CONTENT_LENGTH"
  | "BAD_TRANSFER_ENCODING"
  | "BAD_CHUNK"
  | "HEADERS_TOO_LARGE"
  | "INTERIM_FLOOD"
  | "UNEXPECTED_UPGRADE"
  | "REQUEST_TIMEOUT"
  | "SHORT_BODY";

export type WireFault = Error & { readonly code: WireFaultCode };

/** An error with `code`; `message` is for whoever reads a stack, never for the client. */
export const wireFault = (code: WireFaultCode, message: string): WireFault => Object.assign(new Error(message), { code });
