// The findings as text for a person, 80 columns, or as JSON. Pure. Everything goes through the redaction
// here, because a finding may quote an environment variable or a sentence of another program.
import { visibleText } from "../lib/visible-text.ts";
import { asciiJson } from "../log/ascii-json.ts";
import type { Redact } from "../log/redact.ts";
import { wrap } from "../tui/text.ts";
import type { Finding, Status } from "./finding.ts";

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
    verdict(report),
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

const verdict = ({ checks, proofs }: Report): string => {
  const count = (wanted: Status): number => [...checks, ...proofs].filter(({ status }) => status === wanted).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  const said = problems === 0 ? "No problem found" : problems === 1 ? "1 problem" : `${problems} problems`;
  return `${said}, ${warnings === 1 ? "1 warning" : `${warnings} warnings`}.`;
};
