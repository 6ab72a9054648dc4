import picocolors from 'picocolors';
import { excerpt } from '../../text/index.ts';
import type { Check, FailingRows, Status } from '../check.ts';
import { type CheckFacts, factsOf } from '../check-facts.ts';
import { describeCounts } from '../counts.ts';
import { type FoldedPasses, foldPasses } from '../folded-passes.ts';
import { nextStepsOf } from '../next-steps.ts';
import { formatBytes } from '../number-format.ts';
import type { Report, Verdict } from '../report.ts';
import { type CheckGroup, groupsOf } from '../report-groups.ts';
import { rowWords } from '../row-words.ts';
import { unicodeBar } from '../unicode-bar.ts';
import { counted, statusWords, verdictWords } from '../vocabulary.ts';
import { cell, cut, widthOf, wrap } from './cell.ts';

export interface TerminalOptions {
  /** Whether to colour. The caller knows about `NO_COLOR` and whether anybody is looking. @default false */
  readonly colour?: boolean;
  /** Columns of the terminal, at least 40 and at most 160 are used. @default 100 */
  readonly width?: number;
}

type Colours = ReturnType<typeof picocolors.createColors>;
type Paint = (text: string) => string;

// More than this nobody reads in a terminal; the files hold the rest, and the counts say so.
const passedShown = 60;
const explainedShown = 40;
const rowsShown = 5;
const barWidth = 20;

/** The report for a terminal: a table a section, the failing rows under their check, the verdict and what to do next at the end. */
export function renderTerminal(report: Report, { colour = false, width = 100 }: TerminalOptions = {}): string {
  const columns = Math.min(Math.max(Math.floor(width), 40), 160);
  const colours = picocolors.createColors(colour);
  const explained = { left: explainedShown };
  const lines = [
    ...header(report, columns, colours),
    ...groupsOf(report).flatMap((group) => groupLines(group, columns, colours, explained)),
    ...differenceLines(report, columns, colours),
    ...noticeLines(report, columns, colours),
    ...verdictLines(report, columns, colours),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function header(report: Report, columns: number, colours: Colours): readonly string[] {
  const { policy, candidate, baseline, commit } = report;
  const facts = [
    candidate === undefined ? '' : `model ${excerpt(candidate.path)} (${formatBytes(candidate.bytes)})`,
    baseline === undefined ? '' : `baseline ${excerpt(baseline.path)} (${formatBytes(baseline.bytes)})`,
    `policy ${excerpt(policy.file)}${policy.origin === 'base-and-head' ? ', the stricter of base and head' : ''}`,
    commit === undefined ? '' : `commit ${commit.head.slice(0, 12)}`,
  ].filter((fact) => fact !== '');
  return [
    '',
    `${colours.bold('Sluice')} ${colours.dim(cut(report.tool.version, 20))}  ${colours.bold(cut(report.name, columns - 30))}`,
    ...wrap(facts.join(' · '), columns).map(colours.dim),
  ];
}

interface Layout {
  readonly title: number;
  readonly observed: number;
  readonly bound: number;
  readonly bar: number;
  readonly interval: number;
}

function groupLines(
  { title, source, checks }: CheckGroup,
  columns: number,
  colours: Colours,
  explained: { left: number },
): readonly string[] {
  const fold = foldPasses(checks);
  const afterwards = new Map(fold.folded.map((passes) => [passes.after, passes]));
  const passed = fold.shown.filter((check) => check.status === 'pass');
  const hidden = new Set(passed.slice(passedShown));
  const shown = fold.shown.filter((check) => !hidden.has(check));
  const layout = layoutOf(shown, columns);
  const name = cut(source, columns - widthOf(title) - 30);
  const rule = '─'.repeat(Math.max(0, columns - widthOf(title) - widthOf(name) - (name === '' ? 1 : 2)));
  return [
    '',
    `${colours.bold(title)} ${name === '' ? '' : `${name} `}${colours.dim(rule)}`,
    ...shown.flatMap((check) => [
      ...checkLines(check, layout, columns, colours, explained),
      ...foldedLine(afterwards.get(check), columns, colours),
    ]),
    ...(hidden.size === 0
      ? []
      : [colours.dim(`  ${statusWords.pass.symbol} ${counted(hidden.size, 'more check')} passed`)]),
  ];
}

function foldedLine(passes: FoldedPasses | undefined, columns: number, colours: Colours): readonly string[] {
  if (passes === undefined) return [];
  const text = `${counted(passes.checks.length, 'more check')} of ${passes.place} passed`;
  return [`  ${colours.green(statusWords.pass.symbol)} ${colours.dim(cut(text, columns - 4))}`];
}

// The title gives way, but not below a third; then the bar goes, then the interval's numbers.
function layoutOf(checks: readonly Check[], columns: number): Layout {
  const facts = checks.map(factsOf);
  const widest = (texts: readonly string[], most: number) => Math.min(most, Math.max(0, ...texts.map(widthOf)));
  const observed = widest(
    facts.map((fact) => fact.observed),
    18,
  );
  const bound = widest(
    facts.map((fact) => fact.bound),
    18,
  );
  const interval = widest(
    facts.map((fact) => fact.interval),
    24,
  );
  const bar = checks.some((check) => unicodeBar(check) !== '') ? barWidth : 0;
  const titles = widest(
    checks.map((check) => check.title),
    60,
  );
  const room = (taken: readonly number[]) =>
    columns - 4 - taken.reduce((sum, part) => sum + (part === 0 ? 0 : part + 2), 0);
  const least = Math.min(titles, Math.max(24, Math.floor(columns / 3)));
  const candidates: readonly Omit<Layout, 'title'>[] = [
    { observed, bound, bar, interval },
    { observed, bound, bar, interval: 0 },
    { observed, bound, bar: 0, interval: 0 },
    { observed, bound: 0, bar: 0, interval: 0 },
  ];
  const chosen = candidates.find((layout) => room(Object.values(layout)) >= least) ?? {
    observed: 0,
    bound: 0,
    bar: 0,
    interval: 0,
  };
  return { ...chosen, title: Math.max(8, Math.min(titles, room(Object.values(chosen)))) };
}

function checkLines(
  check: Check,
  layout: Layout,
  columns: number,
  colours: Colours,
  explained: { left: number },
): readonly string[] {
  const facts = factsOf(check);
  const paint = statusPaint(check.status, colours);
  const quiet = check.status === 'pass' || check.status === 'skipped';
  const parts = [
    `  ${paint(statusWords[check.status].symbol)} ${quiet ? cell(check.title, layout.title) : colours.bold(cell(check.title, layout.title))}`,
    ...(layout.observed === 0 ? [] : [paintNumber(cell(facts.observed, layout.observed, 'right'), quiet, paint)]),
    ...(layout.bound === 0 ? [] : [cell(facts.bound, layout.bound)]),
    ...(layout.bar === 0 ? [] : [paintBar(cell(unicodeBar(check, layout.bar), layout.bar), paint, colours)]),
    ...(layout.interval === 0 ? [] : [colours.dim(cell(facts.interval, layout.interval))]),
  ];
  if (check.status === 'pass') return [parts.join('  ')];
  if (check.status !== 'skipped' && explained.left <= 0) return [parts.join('  ')];
  if (check.status !== 'skipped') explained.left -= 1;
  return [parts.join('  '), ...explanation(check, facts, layout, columns, colours)];
}

function paintNumber(text: string, quiet: boolean, paint: Paint): string {
  return quiet ? text : paint(text);
}

// The bound stays in the text's own colour: it is the demand, not the outcome.
function paintBar(bar: string, paint: Paint, colours: Colours): string {
  return bar.replace(/[├─┤●◆◄►]+|[┃╂]/g, (part) => (part === '┃' || part === '╂' ? colours.bold(part) : paint(part)));
}

function explanation(
  check: Check,
  facts: CheckFacts,
  layout: Layout,
  columns: number,
  colours: Colours,
): readonly string[] {
  const indent = '    ';
  const room = columns - indent.length;
  const waiver = check.waiver;
  const behind = [
    facts.baseline === '' ? '' : `baseline ${facts.baseline} (${facts.change})`,
    layout.interval === 0 ? facts.interval : '',
    excerpt(facts.method, 120),
    excerpt(facts.place, 120),
  ].filter((part) => part !== '');
  return [
    ...wrap(`${check.status}: ${excerpt(check.message, 500)}`, room).map((line) => `${indent}${line}`),
    ...(waiver === undefined
      ? []
      : wrap(`waived until ${excerpt(waiver.expires, 20)}: ${excerpt(waiver.reason, 300)}`, room).map(
          (line) => `${indent}${line}`,
        )),
    ...(behind.length === 0 ? [] : wrap(behind.join(' · '), room).map((line) => `${indent}${colours.dim(line)}`)),
    ...(check.failing === undefined ? [] : failingLines(check.failing, room, colours)).map(
      (line) => `${indent}${line}`,
    ),
  ];
}

function failingLines(failing: FailingRows, room: number, colours: Colours): readonly string[] {
  const rows = failing.rows.slice(0, rowsShown);
  if (rows.length === 0) return [];
  const numbered = rows.some(({ row }) => row !== undefined);
  const names = [...(numbered ? ['row'] : []), ...failing.columns];
  const texts = rows.map(({ row, file, values }) => [
    ...(numbered ? [rowWords(row, file)] : []),
    ...failing.columns.map((_, column) => valueText(values[column])),
  ]);
  // As many columns as fit, each as wide as its widest value but at most 24.
  const widths: number[] = [];
  let used = 2;
  for (const [column, name] of names.entries()) {
    const wanted = Math.min(
      24,
      Math.max(widthOf(cut(name, 24)), ...texts.map((row) => widthOf(cut(row[column] ?? '', 24)))),
    );
    if (used + wanted > room) break;
    widths.push(wanted);
    used += wanted + 2;
  }
  const line = (texts_: readonly string[]) =>
    widths
      .map((width, column) => cell(texts_[column] ?? '', width, numbered && column === 0 ? 'right' : 'left'))
      .join('  ');
  const left = names.length - widths.length;
  const more = failing.total - rows.length;
  const rest = [
    more > 0 ? `${counted(more, 'more row')} like these` : '',
    left > 0 ? `${counted(left, 'column')} not shown` : '',
  ].filter((part) => part !== '');
  return [
    colours.dim(`┌ ${line(names)}`),
    ...texts.map((row) => `${colours.dim('│')} ${line(row)}`),
    colours.dim(`└ ${cut(rest.length === 0 ? counted(failing.total, 'failing row') : rest.join(', '), room - 2)}`),
  ];
}

function valueText(value: string | null | undefined): string {
  return value === undefined ? '' : (value ?? 'null');
}

function differenceLines(report: Report, columns: number, colours: Colours): readonly string[] {
  const differences = report.policy.differences;
  if (differences.length === 0) return [];
  const words = { base: 'base holds', head: 'head holds', both: 'both hold' };
  const shown = differences.slice(0, 20);
  const widest = (texts: readonly string[], most: number) => Math.min(most, Math.max(...texts.map(widthOf)));
  const key = widest(
    shown.map((difference) => difference.key),
    Math.floor(columns / 3),
  );
  const side = Math.max(3, Math.floor((columns - key - 19) / 2));
  const base = widest(
    shown.map((difference) => difference.base ?? 'absent'),
    side,
  );
  const head = widest(
    shown.map((difference) => difference.head ?? 'absent'),
    side,
  );
  const title = 'Policy changes';
  return [
    '',
    `${colours.bold(title)} ${colours.dim(`base → head ${'─'.repeat(Math.max(0, columns - title.length - 13))}`)}`,
    ...shown.map(
      (difference) =>
        `  ${cell(difference.key, key)}  ${cell(difference.base ?? 'absent', base)} ${colours.dim('→')} ${cell(difference.head ?? 'absent', head)}  ${colours.dim(words[difference.effective])}`,
    ),
    ...(differences.length > shown.length
      ? [colours.dim(`  ${differences.length - shown.length} more in the report`)]
      : []),
  ];
}

function noticeLines(report: Report, columns: number, colours: Colours): readonly string[] {
  if (report.notices.length === 0) return [];
  const shown = report.notices.slice(0, 20);
  return [
    '',
    ...shown.flatMap(({ level, message, place }) => {
      const paint = level === 'warning' ? colours.yellow : colours.cyan;
      const at = place?.file === undefined ? '' : `${place.file}${place.line === undefined ? '' : `:${place.line}`}: `;
      return wrap(excerpt(`${at}${message}`, 500), columns - 4).map((line, position) =>
        position === 0 ? `  ${paint(level === 'warning' ? '▲' : 'i')} ${line}` : `    ${line}`,
      );
    }),
    ...(report.notices.length > shown.length
      ? [colours.dim(`  ${counted(report.notices.length - shown.length, 'more notice')} in the report`)]
      : []),
  ];
}

function verdictLines(report: Report, columns: number, colours: Colours): readonly string[] {
  const { symbol, title } = verdictWords[report.verdict];
  const badge = verdictPaint(report.verdict, colours)(` ${symbol} ${title.toUpperCase()} `);
  const steps = nextStepsOf(report);
  return [
    '',
    colours.dim('━'.repeat(columns)),
    `${badge} ${colours.bold(cut(describeCounts(report.checks), columns - title.length - 6))}`,
    ...wrap(report.headline, columns - 1).map((line) => ` ${line}`),
    ...(steps.length === 0
      ? []
      : [
          '',
          ` ${colours.bold('What to do next')}`,
          ...steps.flatMap((step) =>
            wrap(step, columns - 4).map((line, position) => ` ${position === 0 ? colours.cyan('→') : ' '} ${line}`),
          ),
        ]),
    '',
  ];
}

function statusPaint(status: Status, colours: Colours): Paint {
  return {
    pass: colours.green,
    fail: colours.red,
    error: colours.magenta,
    warn: colours.yellow,
    inconclusive: colours.yellow,
    waived: colours.cyan,
    skipped: colours.dim,
  }[status];
}

function verdictPaint(verdict: Verdict, colours: Colours): Paint {
  const background = { passed: colours.bgGreen, failed: colours.bgRed, error: colours.bgMagenta }[verdict];
  return (text) => colours.bold(colours.black(background(text)));
}
