// Which host names mean this machine. Decided by the text alone: a name that has to be resolved first is foreign.

/** True for `localhost`, 127.0.0.0/8 in dotted form and `::1` (with or without brackets). */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === "::1" || isLoopback4(name);
};

const isLoopback4 = (name: string): boolean => {
  const parts = name.split(".");
  return parts.length === 4 && parts[0] === "127" && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};
