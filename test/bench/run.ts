// npm run bench: our program beside a bare pass-through on the same two parts, other proxies and no proxy at all, in one
// run. A whole run takes about six minutes and writes its tables to RESULTS.md; `--check` measures again in less than
// five minutes and ends with 1 when a figure is worse than the committed one by more than its band.
// For a look: --seconds N (a turn), --rounds N, --sets N, --streams N, --aborts N, --only small,large,single,streams,aborts.
// --beside FOLDER measures another built checkout too, as `other`.
import { parseArgs } from "node:util";
import { committedIn, compare, figuresOf, figuresTable, tablesOf } from "./figures.ts";
import { measure, nothingMeasured } from "./measure.ts";
import type { Plan } from "./measure.ts";
import { missing, startUpstream } from "./processes.ts";
import { disturbance } from "./quiet.ts";
import { circumstances, readResults, writeSection } from "./results.ts";

const number = { type: "string" } as const;
const { values } = parseArgs({ options: { check: { type: "boolean", default: false }, seconds: number, rounds: number, sets: number, streams: number, aborts: number, only: number, beside: number } });

const wholeRun = { seconds: 1, rounds: 3, sets: 1, warmUpSeconds: 3, streams: 2000, holdSeconds: 8, aborts: 100, mostTries: 1 };
const shortRun = { seconds: 1, rounds: 7, sets: 1, warmUpSeconds: 5, streams: 2000, holdSeconds: 10, aborts: 200, mostTries: 1 };

const { seconds, rounds, sets, streams, aborts } = values;
const chosen = Object.entries({ seconds, rounds, sets, streams, aborts }).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]]));
// A short turn is a look at whether everything works: nothing is warmed up or held for longer than it takes.
const look = seconds === undefined ? {} : { warmUpSeconds: Number(seconds), holdSeconds: Math.max(3, Number(seconds)) };
const plan: Plan = { ...(values.check ? shortRun : wholeRun), ...look, ...Object.fromEntries(chosen) };
const only = (values.only ?? "small,large,single,streams,aborts").split(",");
const names = ["bare", "claude-oauth-proxy", "httpxy", ...(values.check ? [] : ["http-proxy", "nginx"])];
const isWhole = chosen.length === 0 && values.only === undefined && !values.check;

const measured = nothingMeasured();
const upstream = await startUpstream();
try {
  await measure({ names, upstream, direct: !values.check, other: values.beside ?? null }, plan, only, measured);
} finally {
  upstream.stop();
}
const figures = figuresOf(measured);
const leftOut = [...missing(names).map((name) => `${name}, which is not installed here`), "teamclaude, which has no package on npm"];
const text = [
  `${circumstances()}; ${plan.sets} sets of processes, ${plan.rounds} rounds of ${plan.seconds} s each. Left out: ${leftOut.join("; ")}.`,
  `In the turns that count ${disturbance()}.\n`,
  figuresTable("figures and targets", figures),
  ...tablesOf(measured, plan.streams),
].join("\n");
console.log(text);
if (isWhole) writeSection("bench", text);
if (values.check) {
  const { text: comparison, breaches } = compare(figures, committedIn(readResults()));
  console.log(comparison);
  for (const name of breaches) console.error(`worse than committed: ${name}`);
  process.exitCode = breaches.length > 0 ? 1 : 0;
}
