// What a check or a proof reports, and the report of all of them: text for a person, 80 columns, or JSON. Pure.
// All text is redacted here, because a finding may quote an environment variable or a sentence of another program.
import { asciiJson } from "../lib/json.ts";
import type { Redact } from "../lib/redact.ts";
import { visibleText } from "../lib/visible-text.ts";
import { wrap } from "../tui/text.ts";

/** A warning is something to know; only a problem makes `doctor` fail. */
export type Status = "ok" | "warning" | "problem";

export type Finding = {
  readonly name: string;
  readonly status: Status;
  /** What was found, for a person: never a secret. */
  readonly found: string;
  /** What to do; null when there is nothing to do. */
  readonly advice: string | null;
};

export const ok = (name: string, found: string, advice: string | null = null): Finding => ({ name, status: "ok", found, advice });
export const warning = (name: string, found: string, advice: string | null): Finding => ({ name, status: "warning", found, advice });
export const problem = (name: string, found: string, advice: string | null): Finding => ({ name, status: "problem", found, advice });

/** A span of time as findings show it: `55s`, `12m`, `3h12m`, `4d2h`. */
export const span = (ms: number): string => {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3600)}h`;
};

export type Report = { readonly checks: readonly Finding[]; readonly proofs: readonly Finding[] };

const columns = 80;
const marks: Readonly<Record<Status, string>> = { ok: "ok", warning: "warning", problem: "PROBLEM" };

/** No problem anywhere; warnings do not count. */
export const isFine = ({ checks, proofs }: Report): boolean => [...checks, ...proofs].every(({ status }) => status !== "problem");

/** `{ok, checks, proofs}`, each finding as `{name, status, found, advice}`. */
export const reportJson = (report: Report, redact: Redact): string => {
  const { checks, proofs } = cleanReport(report, redact);
  return asciiJson({ ok: isFine(report), checks, proofs }, 2);
};

/** Lines without a line feed at the end; none is wider than 80 columns. */
export const reportText = (report: Report, redact: Redact): string => {
  const { checks, proofs } = cleanReport(report, redact);
  const width = Math.max(...[...checks, ...proofs].map(({ name }) => name.length));
  return [
    "Checks on this machine; neither the upstream nor the token endpoint is called",
    ...checks.flatMap((finding) => lines(finding, width)),
    "",
    "Transparency of a proxy of its own before a simulated Anthropic, by real sockets",
    ...proofs.flatMap((finding) => lines(finding, width)),
    "",
    summary(report),
  ].join("\n");
};

const cleanReport = ({ checks, proofs }: Report, redact: Redact): Report => {
  const clean = (text: string): string => visibleText(redact(text), 400);
  const each = ({ name, status, found, advice }: Finding): Finding => ({ name: clean(name), status, found: clean(found), advice: advice === null ? null : clean(advice) });
  return { checks: checks.map(each), proofs: proofs.map(each) };
};

const lines = ({ name, status, found, advice }: Finding, width: number): string[] => {
  const indent = ` ${" ".repeat(7)}  ${" ".repeat(width)}  `;
  const [first = "", ...more] = wrap(found, columns - indent.length);
  const hints = advice === null ? [] : wrap(advice, columns - indent.length - 3);
  return [
    ` ${marks[status].padEnd(7)}  ${name.padEnd(width)}  ${first}`,
    ...more.map((line) => indent + line),
    ...hints.map((line, at) => `${indent}${at === 0 ? "-> " : "   "}${line}`),
  ];
};

const summary = ({ checks, proofs }: Report): string => {
  const count = (wanted: Status): number => [...checks, ...proofs].filter(({ status }) => status === wanted).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  const said = problems === 0 ? "No problem found" : problems === 1 ? "1 problem" : `${problems} problems`;
  return `${said}, ${warnings === 1 ? "1 warning" : `${warnings} warnings`}.`;
};
