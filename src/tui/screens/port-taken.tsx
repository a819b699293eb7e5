// The port is taken, said before there is a dashboard. Whoever holds it was asked already; here it is
// only told, with the choices that make sense.
import { visibleText } from "../../lib/visible-text.ts";
import { span } from "../../lib/units.ts";
import { askChoice } from "./choice.tsx";
import type { LoginTerminal } from "./login.tsx";

/** `use-that`: print the address of the one that runs and quit. */
export type PortTakenChoice = "use-that" | "next-port" | "quit";

/** Another claude-oauth-proxy that answered on the port. */
export type OtherProxy = { readonly version: string; readonly uptimeSeconds: number };

export type PortTakenFacts = {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Null: another program, or one that does not answer. */
  readonly other: OtherProxy | null;
  /** Null: none was found. */
  readonly nextPort: number | null;
};

/** The message and the choices; plain text that ends with a line break. */
export const portTakenText = ({ version, host, port, other, nextPort }: PortTakenFacts): string => {
  const next = nextPort === null ? "--port N" : `--port ${nextPort}`;
  const rows = [
    `claude-oauth-proxy ${version}`,
    "",
    `x Port ${port} on ${visibleText(host)} is already in use.`,
    other === null
      ? "  Another program holds it."
      : `  It answers like another claude-oauth-proxy (${visibleText(other.version, 40)}, up ${span(other.uptimeSeconds * 1000)}).`,
    "",
    ...(other !== null ? ["  a  use that one (print its address and quit)"] : []),
    ...(nextPort !== null ? [`  n  use the next free port, ${nextPort}`] : []),
    `  q  quit            next time: npx claude-oauth-proxy ${next}`,
    "",
  ];
  return `${rows.join("\n")}\n`;
};

export type PortTakenDeps = LoginTerminal & { readonly facts: PortTakenFacts; readonly ascii: boolean; readonly signal?: AbortSignal };

/** Asks on a terminal; without one, a sentence and exit code 4 are the answer. */
export const askPortTaken = ({ facts, ...deps }: PortTakenDeps): Promise<PortTakenChoice> => {
  const answers: Readonly<Record<string, PortTakenChoice>> = {
    ...(facts.other === null ? {} : { a: "use-that" }),
    ...(facts.nextPort === null ? {} : { n: "next-port" }),
  };
  const letters = [...Object.keys(answers), "q"];
  const hint = letters.length === 1 ? "press q" : `press ${letters.slice(0, -1).join(", ")} or ${letters.at(-1)}`;
  return askChoice({ ...deps, text: portTakenText(facts), answers, hint });
};
