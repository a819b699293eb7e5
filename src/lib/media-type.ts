// What kind of content a Content-Type names.

/** The media type of `contentType` in lower case and without parameters (RFC 9110 section 8.3.1); "" for none. */
export const mediaTypeOf = (contentType: string | null): string => {
  const end = contentType?.indexOf(";") ?? -1;
  return (contentType ?? "").slice(0, end === -1 ? undefined : end).trim().toLowerCase();
};

/** Server-sent events, which may take as long as their sender likes. */
export const isEventStream = (contentType: string | null): boolean => mediaTypeOf(contentType) === "text/event-stream";
