// The `Cookie` header of a request (RFC 6265 section 4.2).

/** The value of the cookie `name`; null when it is not there. The first of two with one name wins: it has the longer path. */
export const cookieValue = (header: string | null, name: string): string | null => {
  for (const pair of (header ?? "").split(";")) {
    const [left = "", ...right] = pair.split("=");
    if (left.trim() === name) return right.join("=").trim();
  }
  return null;
};
