// From results to what is said of them: the table of each measurement, the figures with their targets, and whether a
// later run is worse than the committed one. Pure.
import type { LoadResult } from "./load.ts";
import type { Measured, Results, StreamsResult } from "./measure.ts";

export type Figure = {
  readonly name: string;
  readonly value: number;
  /** Null: told, not demanded. */
  readonly target: { readonly text: string; readonly isMet: boolean } | null;
  /** How much worse a later run may be; `better` says which way is good. */
  readonly band: { readonly better: "higher" | "lower"; readonly by: number } | null;
};

const ours = "claude-oauth-proxy";

export const median = (samples: readonly number[]): number => samples.toSorted((left, right) => left - right)[Math.floor(samples.length / 2)] ?? Number.NaN;

/** The median over the rounds of what `name` and `other` were to each other within the round. */
const within = <R>(results: Results<R>, name: string, other: string, compare: (one: R, other: R) => number): number =>
  median((results.get(name) ?? []).flatMap((one, round) => {
    const beside = results.get(other)?.[round];
    return beside === undefined ? [] : [compare(one, beside)];
  }));

const rate = (one: LoadResult, other: LoadResult): number => one.perSecond / other.perSecond;
const sumOf = <R>(results: Results<R>, name: string, read: (result: R) => number): number => (results.get(name) ?? []).reduce((sum, result) => sum + read(result), 0);

const atLeast = (name: string, value: number, least: number, by: number): Figure =>
  ({ name, value, target: { text: `≥ ${least}`, isMet: value >= least }, band: { better: "higher", by } });
const atMost = (name: string, value: number, most: number, by: number): Figure =>
  ({ name, value, target: { text: `≤ ${most}`, isMet: value <= most }, band: { better: "lower", by } });
const told = (name: string, value: number): Figure => ({ name, value, target: null, band: null });

const over = <R>(read: (result: R) => number) => (one: R, other: R): number => read(one) - read(other);

/** Those that were measured. */
export const figuresOf = ({ small, large, single, streams, aborts }: Measured): readonly Figure[] => [
  ...ifMeasured(small, () => [
    atLeast("1 KiB, 64 connections: × bare", within(small, ours, "bare", rate), 0.9, 0.1),
    told("1 KiB, 64 connections: × httpxy", within(small, ours, "httpxy", rate)),
    atMost("1 KiB, 64 connections: errors", sumOf(small, ours, ({ errors }) => errors), 0, 0),
  ]),
  ...ifMeasured(large, () => [
    atLeast("85 KB, 64 connections: × bare", within(large, ours, "bare", rate), 0.9, 0.12),
    told("85 KB, 64 connections: × httpxy", within(large, ours, "httpxy", rate)),
    atMost("85 KB, 64 connections: errors", sumOf(large, ours, ({ errors }) => errors), 0, 0),
  ]),
  ...ifMeasured(single, () => [
    told("1 KiB, one connection: × bare", within(single, ours, "bare", rate)),
    atLeast("1 KiB, one connection: × httpxy", within(single, ours, "httpxy", rate), 1, 0.12),
    atMost("1 KiB, one connection: p50 over bare, ms", within(single, ours, "bare", over(({ p50 }) => p50)), 0.05, 0.05),
    told("1 KiB, one connection: p99 over bare, ms", within(single, ours, "bare", over(({ p99 }) => p99))),
    atMost("1 KiB, one connection: errors", sumOf(single, ours, ({ errors }) => errors), 0, 0),
  ]),
  ...ifMeasured(streams, () => [
    atMost("streams: errors", sumOf(streams, ours, ({ errors }) => errors), 0, 0),
    told("streams: p50 delay over bare, ms", within(streams, ours, "bare", over(({ p50 }) => p50))),
    atMost("streams: p99 delay over bare, ms", within(streams, ours, "bare", over(({ p99 }) => p99)), 2, 3),
    atMost("streams: memory of one over bare, KiB", within(streams, ours, "bare", over(({ kibEach }) => kibEach)), 10, 10),
    atMost("streams: processor time × bare", within(streams, ours, "bare", (one, bare) => one.cpuMs / bare.cpuMs), 1.3, 0.3),
    atMost("streams: descriptors back, s", Math.max(...(streams.get(ours) ?? []).map(({ descriptorsBackMs }) => descriptorsBackMs / 1000)), 5, 5),
  ]),
  ...ifMeasured(aborts, () => [
    atMost("abort: reaches the upstream, p99 ms", median((aborts.get(ours) ?? []).map(({ p99 }) => p99)), 5, 5),
    atMost("abort: not felt upstream", sumOf(aborts, ours, ({ errors }) => errors), 0, 0),
  ]),
];

const ifMeasured = <R, T>(results: Results<R>, make: () => readonly T[]): readonly T[] => (results.size > 0 ? make() : []);

type Row = Readonly<Record<string, string | number>>;

const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;

/** A Markdown table with a title; the columns come from the first row. */
export const table = (title: string, rows: readonly Row[]): string => {
  const columns = Object.keys(rows[0] ?? {});
  return [`**${title}**`, "", line(columns), line(columns.map((_, index) => (index === 0 ? "---" : "--:"))), ...rows.map((row) => line(columns.map((column) => row[column] ?? ""))), ""].join("\n");
};

const yesOrNo = (target: Figure["target"]): string => (target === null ? "" : target.isMet ? "yes" : "**no**");
const bandText = ({ band }: Figure): string => (band === null ? "" : `${band.better === "higher" ? "−" : "+"}${band.by}`);

export const figuresTable = (title: string, figures: readonly Figure[]): string =>
  table(title, figures.map((figure) => ({ figure: figure.name, value: figure.value.toFixed(3), target: figure.target?.text ?? "", met: yesOrNo(figure.target), band: bandText(figure) })));

/** The values by name of a text that holds a figures table. */
export const committedIn = (text: string): ReadonlyMap<string, number> =>
  new Map([...text.matchAll(/^\| ([^|]+?) \| (-?[\d.]+) \| [^|]*\| [^|]*\| [^|]*\|$/gm)].map(([, name = "", value]) => [name, Number(value)]));

/** A value that could not be measured (NaN) is worse than any, and so is one with which nothing can be compared. */
const isWorse = ({ value, band }: Figure, was = Number.NaN): boolean => {
  if (band === null) return false;
  return band.better === "higher" ? !(value >= was - band.by) : !(value <= was + band.by);
};

/** The table of a check, and the names of what is worse than committed by more than its band. */
export const compare = (figures: readonly Figure[], committed: ReadonlyMap<string, number>): { readonly text: string; readonly breaches: readonly string[] } => ({
  text: table("now beside the committed figures", figures.map((figure) => ({
    figure: figure.name,
    committed: committed.get(figure.name)?.toFixed(3) ?? "none",
    now: figure.value.toFixed(3),
    band: bandText(figure),
    "within the band": figure.band === null ? "" : isWorse(figure, committed.get(figure.name)) ? "**no**" : "yes",
    target: figure.target?.text ?? "",
    met: yesOrNo(figure.target),
  }))),
  breaches: figures.filter((figure) => isWorse(figure, committed.get(figure.name))).map(({ name }) => name),
});

const requestRows = (results: Results<LoadResult>): readonly Row[] =>
  [...results].map(([contender, all]) => ({
    contender,
    "req/s": Math.round(median(all.map(({ perSecond }) => perSecond))),
    "× bare": within(results, contender, "bare", rate).toFixed(2),
    "× httpxy": within(results, contender, "httpxy", rate).toFixed(2),
    "p50 ms": median(all.map(({ p50 }) => p50)).toFixed(3),
    "p99 ms": median(all.map(({ p99 }) => p99)).toFixed(2),
    errors: sumOf(results, contender, ({ errors }) => errors),
  }));

const streamRows = (results: Results<StreamsResult>): readonly Row[] =>
  [...results].map(([contender, all]) => ({
    contender,
    events: median(all.map(({ count }) => count)),
    errors: sumOf(results, contender, ({ errors }) => errors),
    "p50 ms": median(all.map(({ p50 }) => p50)).toFixed(2),
    "p99 ms": median(all.map(({ p99 }) => p99)).toFixed(2),
    "KiB each": median(all.map(({ kibEach }) => kibEach)).toFixed(0),
    "CPU ms": median(all.map(({ cpuMs }) => cpuMs)).toFixed(0),
    "CPU × bare": within(results, contender, "bare", (one, bare) => one.cpuMs / bare.cpuMs).toFixed(2),
    "descriptors back ms": Math.max(...all.map(({ descriptorsBackMs }) => descriptorsBackMs)).toFixed(0),
  }));

const abortRows = (results: Results<LoadResult>): readonly Row[] =>
  [...results].map(([contender, all]) => ({
    contender,
    aborts: median(all.map(({ count }) => count)),
    "not felt": sumOf(results, contender, ({ errors }) => errors),
    "p50 ms": median(all.map(({ p50 }) => p50)).toFixed(2),
    "p99 ms": median(all.map(({ p99 }) => p99)).toFixed(2),
  }));

export const tablesOf = ({ small, large, single, streams, aborts }: Measured, count: number): readonly string[] => [
  ...ifMeasured(small, () => [table("JSON POST of 1 KiB, 64 connections", requestRows(small))]),
  ...ifMeasured(large, () => [table("JSON POST of 85 KB, 64 connections", requestRows(large))]),
  ...ifMeasured(single, () => [table("JSON POST of 1 KiB, one connection", requestRows(single))]),
  ...ifMeasured(streams, () => [table(`${count} streams, one event a second each`, streamRows(streams))]),
  ...ifMeasured(aborts, () => [table("streams that their client leaves, until the upstream's connection is closed", abortRows(aborts))]),
];
