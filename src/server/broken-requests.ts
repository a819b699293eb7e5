// What no handler can make sense of, in words: bytes that are no request, heads and bodies that never end.
import type { WireFault } from "../http/wire-fault.ts";
import { deny } from "./verdict.ts";
import type { Denied } from "./verdict.ts";

/** Why `fault` ended the connection. */
export const deniedFor = ({ code }: WireFault): Denied => {
  switch (code) {
    case "HEADERS_TOO_LARGE":
      return deny("headers-too-large", "The request's header fields are larger than 64 KiB.");
    case "REQUEST_TIMEOUT":
      return deny("request-timeout", "The request did not arrive in time.");
    case "BAD_REQUEST_LINE":
      return deny("bad-request", "This does not begin like an HTTP/1.1 request.");
    case "BAD_CONTENT_LENGTH":
      return deny("bad-request", "The length of the body is given more than once, or is no number.");
    case "BAD_TRANSFER_ENCODING":
      return deny("bad-request", "The only transfer coding understood here is chunked.");
    case "BAD_CHUNK":
      return deny("bad-request", "The body broke off or is not well-formed.");
    default:
      return deny("bad-request", "This is not a well-formed HTTP/1.1 request.");
  }
};
