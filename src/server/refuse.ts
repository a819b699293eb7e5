// Says no over HTTP. A refused body is not read: the answer goes out at once, and the connection closes when the
// client has had a moment to read it.
import type { HttpRequest } from "../http/request.ts";
import type { HttpResponse } from "../http/response.ts";
import { respondError } from "./respond.ts";
import type { Refusal } from "./respond.ts";

export type Exchange = { readonly request: HttpRequest; readonly response: HttpResponse };

/** Sends `refusal`. Keeps the connection only when nothing of the request is left to be read and `close` is not asked for. */
export const refuse = ({ request, response }: Exchange, refusal: Refusal, close = false): void => {
  if (!response.headSent && (close || !request.isComplete)) response.keepAlive = false;
  respondError(response, refusal);
};
