import type { Check } from '../check.ts';
import { type CheckFacts, factsOf } from '../check-facts.ts';
import { distributionOf, shareOf, spreadOf } from '../column-profile.ts';
import { comparedMetricsOf } from '../comparison.ts';
import { describeCounts } from '../counts.ts';
import { nextStepsOf } from '../next-steps.ts';
import { formatBytes, formatNumber } from '../number-format.ts';
import type { ModelSummary, Report } from '../report.ts';
import { groupsOf } from '../report-groups.ts';
import { rowWords } from '../row-words.ts';
import { unicodeBar } from '../unicode-bar.ts';
import { attentionOrder, counted, grouped, sectionTitles, statusWords, verdictWords } from '../vocabulary.ts';
import { escapeMarkdown as text } from './escape-markdown.ts';

export interface MarkdownOptions {
  /**
   * Bytes of UTF-8 the text may take, at least 1,000; never fewer than its characters, so it serves limits of either kind.
   * @default 1,000,000, under the 1 MiB of a job summary. For a comment: 65,536 less what the publisher adds.
   */
  readonly limit?: number;
  /** Where the whole report is; linked at the end. An `https` or `http` address, else it is left out. */
  readonly reportUrl?: string;
}

/** How much is told. Renderings get shorter stage by stage until one fits; every stage is whole, valid Markdown. */
interface Detail {
  readonly passed: boolean;
  readonly failingRows: number;
  readonly checks: number;
  readonly lists: number;
}

/** For the job summary and the sticky comment. What needs attention comes first; what passed is folded away. */
export function renderMarkdown(report: Report, { limit = 1_000_000, reportUrl }: MarkdownOptions = {}): string {
  if (!(limit >= 1000)) throw new RangeError(`Markdown of a report needs a limit of at least 1000 bytes, not ${limit}`);
  const attention = attentionOf(report).length;
  const stages: Detail[] = [
    { passed: true, failingRows: 10, checks: Infinity, lists: 200 },
    { passed: false, failingRows: 10, checks: Infinity, lists: 100 },
    { passed: false, failingRows: 3, checks: Infinity, lists: 30 },
    { passed: false, failingRows: 0, checks: Infinity, lists: 10 },
  ];
  for (let checks = Math.min(attention, 4096); checks >= 1; checks = Math.floor(checks / 2)) {
    stages.push({ passed: false, failingRows: 0, checks, lists: 3 });
  }
  stages.push({ passed: false, failingRows: 0, checks: 0, lists: 0 });
  for (const detail of stages) {
    const markdown = rendering(report, detail, reportUrl);
    if (Buffer.byteLength(markdown) <= limit) return markdown;
  }
  // Even names can be long: what is left is the verdict and the counts, which are ours alone.
  return `${heading(report, '')}\n\n${describeCounts(report.checks)}. The whole report is too long for this place.\n`;
}

function rendering(report: Report, detail: Detail, reportUrl: string | undefined): string {
  const blocks = [
    heading(report, report.name),
    `<b>${text(report.headline, 300)}</b>`,
    ...list(report.notices, detail.lists, (notice) =>
      alert(notice.level === 'warning' ? 'WARNING' : 'NOTE', `${placed(notice.place)}${text(notice.message, 500)}`),
    ),
    ...timelines(report, detail),
    ...attentionBlocks(report, detail),
    ...nextSteps(report, detail),
    ...differences(report, detail),
    ...comparison(report, detail),
    ...figureTables(report, detail),
    ...tables(report, detail),
    ...passedBlocks(report, detail),
    ...profileBlocks(report, detail),
    footer(report, reportUrl),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function heading(report: Report, name: string): string {
  const { emoji, word } = verdictWords[report.verdict];
  return `## ${emoji} Sluice: ${word}${name === '' ? '' : ` · ${text(name)}`}`;
}

function attentionOf(report: Report): readonly Check[] {
  return attentionOrder.flatMap((status) => report.checks.filter((check) => check.status === status));
}

function attentionBlocks(report: Report, detail: Detail): readonly string[] {
  const all = attentionOf(report);
  const shown = all.slice(0, detail.checks);
  if (all.length === 0) return [];
  const more = all.length - shown.length;
  const rest = more === 0 ? [] : [`*${counted(more, 'more check')} that did not pass: see the report.*`];
  if (shown.length === 0) return rest;
  const compact = detail.failingRows === 0;
  return [
    table(
      ['', 'Check', 'Observed', 'Bound', 'Baseline', 'Evidence'],
      shown.map((check) => attentionRow(check, compact)),
    ),
    ...rest,
    ...shown.flatMap((check) => failingRows(check, detail.failingRows)),
  ];
}

function attentionRow(check: Check, compact: boolean): readonly string[] {
  const facts = factsOf(check);
  const { emoji } = statusWords[check.status];
  const waiver =
    check.waiver === undefined ? '' : ` Waived until ${text(check.waiver.expires)}: ${text(check.waiver.reason, 200)}`;
  const told = `${text(check.message, compact ? 160 : 400)}${waiver}`;
  const place = placed(check.place);
  return [
    `${emoji}&nbsp;${check.status}`,
    `<b>${text(check.title)}</b>${told === '' && place === '' ? '' : `<br><sub>${place}${told}</sub>`}`,
    text(facts.observed),
    text(facts.bound),
    baselineCell(facts),
    evidenceCell(check, facts),
  ];
}

function baselineCell(facts: CheckFacts): string {
  return facts.baseline === '' ? '' : `${text(facts.baseline)}${facts.change === '' ? '' : ` (${text(facts.change)})`}`;
}

function evidenceCell(check: Check, facts: CheckFacts): string {
  const bar = unicodeBar(check);
  // The bar is ours alone: no backtick, no pipe. Non-breaking spaces keep its columns where HTML would fold them.
  const drawn = bar === '' ? '' : `<code>${bar.replace(/ /g, '&nbsp;')}</code><br>`;
  const words = [facts.interval, facts.method].filter((part) => part !== '').join(', ');
  return `${drawn}${words === '' ? '' : `<sub>${text(words, 120)}</sub>`}`;
}

function failingRows(check: Check, limit: number): readonly string[] {
  const failing = check.failing;
  if (failing === undefined || limit === 0 || failing.rows.length === 0) return [];
  const columns = failing.columns.slice(0, 12);
  const rows = failing.rows.slice(0, limit);
  const numbered = rows.some(({ row }) => row !== undefined);
  const more = failing.total - rows.length;
  return [
    details(
      `${statusWords[check.status].emoji} ${text(check.title)}: ${counted(failing.total, 'failing row')}`,
      [
        table(
          [...(numbered ? ['row'] : []), ...columns.map((name) => text(name))],
          rows.map(({ row, file, values }) => [
            ...(numbered ? [text(rowWords(row, file), 120)] : []),
            ...columns.map((_, column) => dataCell(values[column])),
          ]),
        ),
        ...(more > 0 ? [`*${counted(more, 'more row')}.*`] : []),
      ].join('\n\n'),
    ),
  ];
}

function dataCell(value: string | null | undefined): string {
  if (value === undefined) return '';
  return value === null ? '*null*' : text(value);
}

function nextSteps(report: Report, detail: Detail): readonly string[] {
  const steps = nextStepsOf(report).slice(0, detail.lists);
  return steps.length === 0 ? [] : [`**What to do next**\n\n${steps.map((step) => `- ${text(step, 300)}`).join('\n')}`];
}

function differences(report: Report, detail: Detail): readonly string[] {
  const all = report.policy.differences;
  if (all.length === 0 || detail.lists === 0) return [];
  const words = { base: 'base', head: 'pull request', both: 'both' };
  const shown = all.slice(0, detail.lists);
  return [
    '### Policy changes',
    table(
      ['Key', 'Base branch', 'Pull request', 'Judged by'],
      shown.map((difference) => [
        `<code>${text(difference.key, 120)}</code>`,
        difference.base === undefined ? '*absent*' : text(difference.base),
        difference.head === undefined ? '*absent*' : text(difference.head),
        words[difference.effective],
      ]),
    ),
    ...(all.length > shown.length ? [`*${all.length - shown.length} more in the report.*`] : []),
  ];
}

/** Tables that the run made, such as of variants. */
function tables(report: Report, detail: Detail): readonly string[] {
  if (detail.lists === 0) return [];
  return report.figures.flatMap((figure) => {
    if (figure.kind !== 'table') return [];
    const shown = figure.rows.slice(0, detail.lists).map((row) => row.map((cell) => text(cell, 200)));
    const more = figure.rows.length - shown.length;
    return [
      details(
        text(figure.title, 80),
        [
          table(
            figure.columns.map((column) => text(column, 60)),
            shown,
          ),
          ...(more > 0 ? [`*${more} more in the report.*`] : []),
        ].join('\n\n'),
      ),
    ];
  });
}

/** A rollout's figure as GitHub draws it, and what happened when. Names from outside stay out of the diagram's code. */
function timelines(report: Report, detail: Detail): readonly string[] {
  const rollouts = report.figures.filter((figure) => figure.kind === 'rollout');
  if (detail.lists === 0) return [];
  return rollouts.flatMap(({ seconds, weight, evidence, events }) => {
    const shown = thinned(seconds.length, 60);
    const minutes = (seconds.at(-1) ?? 0) / 60;
    const percent = (values: readonly number[], factor: number) =>
      shown.map((index) => Math.round(Math.min(100, (values[index] ?? 0) * factor))).join(', ');
    const most = shown.map((index) => Math.max(0, ...evidence.map(({ share }) => share[index] ?? 0)));
    const chart = [
      '```mermaid',
      'xychart-beta',
      `    x-axis "minutes" 0 --> ${Math.max(0.1, Math.round(minutes * 10) / 10)}`,
      '    y-axis "%" 0 --> 100',
      `    bar [${percent(weight, 1)}]`,
      `    line [${most.map((value) => Math.round(Math.min(100, value * 100))).join(', ')}]`,
      '```',
    ].join('\n');
    const told = events.slice(0, detail.lists);
    const more = events.length - told.length;
    const rows = told.map((event) => [clockText(event.seconds), text(event.text, 200)]);
    return [
      ...(shown.length < 2
        ? []
        : [
            chart,
            "<sub>Bars: the canary's percent of the requests. Line: evidence for harm, as a percentage of what rolls back.</sub>",
          ]),
      ...(rows.length === 0 ? [] : [table(['After', 'What happened'], rows)]),
      ...(more > 0 ? [`*${counted(more, 'more event')} in the report.*`] : []),
    ];
  });
}

/** At most `limit` places of a list, evenly, the last among them. */
function thinned(length: number, limit: number): readonly number[] {
  const count = Math.min(length, limit);
  if (count <= 1) return count === 1 ? [0] : [];
  return Array.from({ length: count }, (_, place) => Math.round((place * (length - 1)) / (count - 1)));
}

/** `0:05`, `12:30`, `1:02:30`. */
function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours === 0 ? `${minutes}:${pad(whole % 60)}` : `${hours}:${pad(minutes)}:${pad(whole % 60)}`;
}

function comparison(report: Report, detail: Detail): readonly string[] {
  const metrics = comparedMetricsOf(report).slice(0, detail.lists);
  if (metrics.length === 0) return [];
  return [
    '### Candidate and baseline',
    table(
      ['Metric', 'Candidate', 'Baseline', 'Change'],
      metrics.map((metric) => [text(metric.name), text(metric.candidate), text(metric.baseline), text(metric.change)]),
      ['left', 'right', 'right', 'right'],
    ),
  ];
}

/** The numbers of figures that no check tells of, folded. */
function figureTables(report: Report, detail: Detail): readonly string[] {
  return report.figures.flatMap((figure) => {
    if (figure.kind !== 'intervals' || figure.table !== true || detail.lists === 0) return [];
    const shown = figure.rows.slice(0, detail.lists);
    const more = figure.rows.length - shown.length;
    const body = table(
      ['', text(figure.metric), 'Interval', 'Rows'],
      shown.map(({ name, estimate, lower, upper, n }) => [
        text(name),
        formatNumber(estimate, plain),
        `${formatNumber(lower, plain)} – ${formatNumber(upper, plain)}`,
        grouped(String(n)),
      ]),
      ['left', 'right', 'right', 'right'],
    );
    return [details(text(figure.title), more === 0 ? body : `${body}\n\n*${more} more in the report.*`)];
  });
}

const plain = { unit: 'none', percent: false } as const;

function passedBlocks(report: Report, detail: Detail): readonly string[] {
  const rest = report.checks.filter((check) => check.status === 'pass' || check.status === 'skipped');
  if (rest.length === 0) return [];
  const counts = describeCounts(rest);
  if (!detail.passed) return [`*${counts}; listed in the report.*`];
  const body = groupsOf({ checks: rest, sources: report.sources })
    .map(({ section, source, checks }) =>
      [
        `<b>${source === '' ? sectionTitles[section] : `${sectionTitles[section]}: ${text(source, 120)}`}</b>`,
        table(
          ['', 'Check', 'Observed', 'Bound', 'Baseline', 'Evidence'],
          checks.map((check) => {
            const facts = factsOf(check);
            const reason = check.status === 'skipped' ? `<br><sub>${text(check.message, 200)}</sub>` : '';
            return [
              statusWords[check.status].emoji,
              `${text(check.title)}${reason}`,
              text(facts.observed),
              text(facts.bound),
              baselineCell(facts),
              evidenceCell(check, facts),
            ];
          }),
        ),
      ].join('\n\n'),
    )
    .join('\n\n');
  return [details(counts, body)];
}

/** What the columns of the data hold, folded away; left out where the comment is long. */
function profileBlocks({ sources }: Report, detail: Detail): readonly string[] {
  if (!detail.passed) return [];
  return sources.flatMap(({ path, rows, form, profile }) => {
    if (profile === undefined || profile.length === 0) return [];
    const shown = profile.slice(0, detail.lists);
    const more = profile.length - shown.length;
    return [
      details(
        `Profile of ${text(path, 120)}: ${counted(rows, 'row')}, ${counted(profile.length, 'column')}`,
        [
          ...(form === undefined ? [] : [text(form, 200)]),
          table(
            ['Column', 'Type', 'Missing', 'Different', 'Least', 'Mean ± sd', 'Greatest', 'Distribution'],
            shown.map((column) => [
              text(column.name),
              text(column.type),
              shareOf(column.missing, rows),
              `≈ ${grouped(String(column.different))}`,
              text(column.min ?? ''),
              spreadOf(column),
              text(column.max ?? ''),
              column.bars === undefined
                ? text(distributionOf(column, rows), 160)
                : `<code>${distributionOf(column, rows).replaceAll(' ', '&nbsp;')}</code>`,
            ]),
          ),
          ...(more > 0 ? [`*${counted(more, 'more column')}: see the report.*`] : []),
        ].join('\n\n'),
      ),
    ];
  });
}

function footer(report: Report, reportUrl: string | undefined): string {
  const { commit, policy } = report;
  const commits =
    commit === undefined
      ? []
      : [
          `commit <code>${text(commit.head.slice(0, 12))}</code>${commit.base === undefined ? '' : ` against <code>${text(commit.base.slice(0, 12))}</code>`}`,
        ];
  const models = [modelText('model', report.candidate), modelText('baseline', report.baseline)];
  const origin = policy.origin === 'base-and-head' ? 'the stricter of base and head' : 'head only';
  const evidence = policy.evidence === 'off' ? 'evidence off' : `evidence ${policy.evidence}`;
  const link = safeLink(reportUrl);
  const parts = [
    `Sluice ${text(report.tool.version)}`,
    ...commits,
    ...models,
    `policy <code>${text(policy.file)}</code> (${origin})`,
    evidence,
  ];
  return `<sub>${parts.filter((part) => part !== '').join(' · ')}${link === undefined ? '' : ` · <a href="${link}">Full report</a>`}</sub>`;
}

function modelText(what: string, model: ModelSummary | undefined): string {
  if (model === undefined) return '';
  return `${what} <code>${text(model.path)}</code> ${formatBytes(model.bytes)}, sha256 <code>${text(model.sha256.slice(0, 12))}</code>`;
}

function safeLink(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return undefined;
  return parsed.href.replace(/[&"'<>`|\\]/g, (character) => `&#${character.codePointAt(0)};`);
}

function alert(kind: 'NOTE' | 'WARNING', content: string): string {
  return `> [!${kind}]\n> ${content}`;
}

function placed(place: Check['place']): string {
  if (place?.file === undefined) return '';
  return `<code>${text(place.line === undefined ? place.file : `${place.file}:${place.line}`)}</code> `;
}

function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ('left' | 'right')[] = [],
): string {
  // A column that no row fills is left out, but never the first two, which say which check it is.
  const used = head.map((_, column) => column < 2 || rows.some((row) => row[column] !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, column) => (align[column] === 'right' ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

function list<Item>(items: readonly Item[], limit: number, show: (item: Item) => string): readonly string[] {
  const more = items.length - limit;
  return [
    ...items.slice(0, limit).map(show),
    ...(more > 0 ? [`*${counted(more, 'more notice')} in the report.*`] : []),
  ];
}
