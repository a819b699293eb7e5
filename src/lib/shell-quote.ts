// Text as a shell takes it back, whatever it holds: one word of a POSIX shell, or an assignment for `eval`.

export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** A line (without line feed) that exports `name` with exactly `value`. */
export const exportLine = (shell: Shell, name: string, value: string): string => {
  if (shell === "fish") return `set -gx ${name} ${fishQuote(value)};`;
  if (shell === "powershell") return `$env:${name} = ${powershellQuote(value)}`;
  return `export ${name}=${posixQuote(value)}`;
};

/** The shell that a person most likely types into. */
export const likelyShell = (environment: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): Shell => {
  const name = (environment["SHELL"] ?? "").split("/").at(-1) ?? "";
  return shells.find((shell) => shell === name) ?? (platform === "win32" ? "powershell" : "bash");
};

/** `value` as one word of a POSIX shell, quoted only when it has to be. */
export const posixWord = (value: string): string => (/^[\w@%+=:,./-]+$/.test(value) ? value : posixQuote(value));

const posixQuote = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** `value` as a word of fish; inside its single quotes only \' and \\ are known. */
export const fishQuote = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

// PowerShell ends a single-quoted text at the typographic quotes too, and reads piped text line by line.
const powershellQuote = (value: string): string =>
  value
    .split("\n")
    .map((line) => `'${line.replace(/['\u2018-\u201b]/g, "$&$&")}'`)
    .join(' + "`n" + ');
