// Host names and addresses as text: which of them mean this machine, and how they stand in a URL. Decided by the
// text alone: a name that has to be resolved first is foreign.

/** True for `localhost`, 127.0.0.0/8 in dotted form and `::1` (with or without brackets). */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === "::1" || isLoopback4(name);
};

const isLoopback4 = (name: string): boolean => {
  const parts = name.split(".");
  return parts.length === 4 && parts[0] === "127" && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};

/** `host` as it stands in a URL or a Host field: an IPv6 address in brackets (RFC 3986 section 3.2.2), anything else as it is. */
export const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

/**
 * `http://HOST:PORT` for a client on this machine of a server that listens on `host`. No client can connect to "every
 * address"; 127.0.0.1 belongs to `0.0.0.0` and to `::` (libuv listens on both families there).
 */
export const originOf = (host: string, port: number): string => `http://${isUnspecified(host) ? "127.0.0.1" : bracketed(host)}:${port}`;

const isUnspecified = (host: string): boolean => host === "0.0.0.0" || host === "::" || host === "[::]";

/**
 * Does the Host field `host` name the very address at which a connection over loopback arrived? A program that listens
 * on another loopback address with the same port could otherwise pass a request on. True for every other connection:
 * behind a container's port mapping the two always differ.
 */
export const namesOwnAddress = (host: string, localAddress: string): boolean => {
  const address = localAddress.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  return !isLoopback(address) || host.toLowerCase().replace(/:\d+$/, "") === bracketed(address);
};
