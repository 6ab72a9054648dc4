import { excerpt } from '../../text/index.ts';
import { type Check, statuses } from '../check.ts';
import { factsOf } from '../check-facts.ts';
import { distributionOf, shareOf, spreadOf } from '../column-profile.ts';
import { comparedMetricsOf } from '../comparison.ts';
import { countsOf } from '../counts.ts';
import { foldPasses } from '../folded-passes.ts';
import { nextStepsOf } from '../next-steps.ts';
import { formatBytes } from '../number-format.ts';
import type { ModelSummary, Report } from '../report.ts';
import { type CheckGroup, groupsOf } from '../report-groups.ts';
import { rowWords } from '../row-words.ts';
import { attentionOrder, counted, grouped, sectionTitles, statusWords, verdictWords } from '../vocabulary.ts';
import { intervalDrawing } from './interval-drawing.ts';
import { html, type Markup, trusted } from './markup.ts';
import { figureMarkup } from './plot.ts';
import { style } from './style.ts';

// Beyond these a page grows slow to open; report.json has everything, and the page says what it leaves out.
const cardsShown = 200;
const passedShown = 2000;

const brand = trusted(
  '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M4 3v18M20 3v18M4 6h16"/><path d="M8 6v7h8V6" fill="currentColor" fill-opacity=".25" stroke-linejoin="round"/><path d="M7.5 17c1.5-1.3 3-1.3 4.5 0s3 1.3 4.5 0"/></svg>',
);

/** The page. Text from the report is only ever a text node or a quoted attribute; the policy below forbids everything but style. */
export function renderHtml(report: Report): string {
  const attention = attentionOrder.flatMap((status) => report.checks.filter((check) => check.status === status));
  const groups = groupsOf(report);
  const sections = [...new Set(groups.map((group) => group.section))];
  const compared = comparedMetricsOf(report);
  const verdict = verdictWords[report.verdict];
  const links: readonly (readonly [string, string, number | undefined])[] = [
    ...(attention.length === 0 ? [] : [['attention', 'Attention', attention.length] as const]),
    ...sections.map(
      (section) =>
        [section, sectionTitles[section], report.checks.filter((check) => check.section === section).length] as const,
    ),
    ...(report.figures.length === 0 ? [] : [['figures', 'Figures', report.figures.length] as const]),
    ...(report.policy.differences.length === 0
      ? []
      : [['policy', 'Policy changes', report.policy.differences.length] as const]),
    ['run', 'This run', undefined],
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${verdict.symbol} ${verdict.title} · ${excerpt(report.name)} · Sluice</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the checks</a>
<header class="top"><div class="wrap">
<div class="brand">${brand}<span>Sluice <span class="muted">${kindOf(report)} report</span></span></div>
${banner(report)}
${tiles(report)}
</div></header>
<nav aria-label="Sections"><div class="wrap"><ul>${links.map(([id, title, count]) => html`<li><a href="#${id}">${title}${count === undefined ? '' : html`<span class="n">${count}</span>`}</a></li>`)}</ul></div></nav>
<main id="main" class="wrap">
${attentionSection(report, attention)}
${sections.map((section) =>
  checksSection(
    section,
    groups.filter((group) => group.section === section),
    section === 'gate' ? comparison(compared) : undefined,
    new Map(attention.slice(0, cardsShown).map((check, position) => [check, position])),
  ),
)}
${figures(report)}
${policyChanges(report)}
${run(report)}
</main>
</body>
</html>
`;
  return page.text;
}

function banner(report: Report): Markup {
  const { symbol, title } = verdictWords[report.verdict];
  const counts = countsOf(report.checks);
  const order = ['pass', ...statuses.filter((status) => status !== 'pass')] as const;
  const present = order.filter((status) => counts[status] > 0);
  return html`<div class="verdict v-${report.verdict}">
<div class="icon" aria-hidden="true">${symbol}</div>
<h1><span class="word">${title}</span> <span>${excerpt(report.name)}</span></h1>
<p class="headline">${excerpt(report.headline, 400)}</p>
<div class="tally"><div class="stack" aria-hidden="true">${present.map((status) => html`<span class="s-${status}" style="flex:${counts[status]}"></span>`)}</div>
<ul class="counts">${present.map((status) => html`<li class="s-${status}"><i aria-hidden="true">${statusWords[status].symbol}</i><b>${grouped(String(counts[status]))}</b> ${statusWords[status].counted}</li>`)}</ul></div>
</div>`;
}

/** What made the report. A smoke test holds a server against its file: there is no baseline to speak of. */
function kindOf({ checks }: Report): 'smoke test' | 'canary' | 'quality gate' {
  if (checks.length > 0 && checks.every(({ section }) => section === 'rollout')) return 'canary';
  return checks.length > 0 && checks.every(({ section }) => section === 'smoke') ? 'smoke test' : 'quality gate';
}

function tiles(report: Report): Markup {
  const { candidate, baseline, policy, commit, sources } = report;
  const compares = candidate !== undefined && kindOf(report) === 'quality gate';
  const rows = sources.reduce((sum, source) => sum + source.rows, 0);
  const tile = (title: string, value: string, note: string) =>
    html`<div class="tile"><dt>${title}</dt><dd>${value}</dd><p>${note}</p></div>`;
  // Six in two rows of three; five or fewer in one row.
  const count =
    2 +
    (candidate === undefined ? 0 : 1) +
    (compares ? 1 : 0) +
    (sources.length === 0 ? 0 : 1) +
    (commit === undefined ? 0 : 1);
  return html`<dl class="tiles" style="--columns:${count > 5 ? 3 : count}">
${candidate === undefined ? '' : tile('Candidate', excerpt(candidate.path, 60), modelNote(candidate))}
${!compares ? '' : baseline === undefined ? tile('Baseline', 'none', 'absolute bounds only') : tile('Baseline', excerpt(baseline.path, 60), modelNote(baseline))}
${sources.length === 0 ? '' : tile('Data', counted(rows, 'row'), counted(sources.length, 'file'))}
${tile('Policy', excerpt(policy.file, 60), policy.origin === 'base-and-head' ? 'the stricter of base and pull request' : 'one policy, no base')}
${tile('Evidence', policy.evidence === 'off' ? 'off' : String(policy.evidence), policy.evidence === 'off' ? 'points are compared' : `inconclusive: ${policy.onInconclusive}`)}
${commit === undefined ? '' : tile('Commit', commit.head.slice(0, 12), commit.base === undefined ? 'no base' : `against ${commit.base.slice(0, 12)}`)}
</dl>`;
}

function modelNote(model: ModelSummary): string {
  return [
    formatBytes(model.bytes),
    model.parameters === undefined ? '' : counted(model.parameters, 'parameter'),
    model.opset === undefined ? '' : `opset ${model.opset}`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function attentionSection(report: Report, attention: readonly Check[]): Markup {
  const steps = nextStepsOf(report);
  if (attention.length === 0 && report.notices.length === 0 && steps.length === 0) return html``;
  const more = attention.length - cardsShown;
  return html`<section id="attention" aria-labelledby="attention-title">
<h2 id="attention-title">${attention.length === 0 ? 'Good to know' : 'Needs attention'}</h2>
${report.notices.map(({ level, message, place }) => html`<p class="card notice s-${level === 'warning' ? 'warn' : 'waived'}"><b>${level === 'warning' ? 'Warning' : 'Note'}</b> ${place?.file === undefined ? '' : html`<code>${excerpt(place.line === undefined ? place.file : `${place.file}:${place.line}`)}</code> `}${excerpt(message, 1000)}</p>`)}
${steps.length === 0 ? '' : html`<div class="card steps"><h3>What to do next</h3><ul>${steps.map((step) => html`<li>${step}</li>`)}</ul></div>`}
${attention.slice(0, cardsShown).map(card)}
${more > 0 ? html`<p class="muted">${counted(more, 'more check')} that did not pass are in the tables below.</p>` : ''}
</section>`;
}

function card(check: Check, position: number): Markup {
  const facts = factsOf(check);
  const drawing = intervalDrawing(check, 'card');
  const bad = ['fail', 'error', 'warn'].includes(check.status);
  const fact = (title: string, value: string, note = '', loud = false) =>
    value === ''
      ? ''
      : html`<div><dt>${title}</dt><dd class="${loud ? 'bad' : ''}">${excerpt(value, 200)}${note === '' ? '' : html` <span class="muted">${note}</span>`}</dd></div>`;
  const list = html`<dl class="facts">${fact('Observed', facts.observed, '', bad)}${fact('Bound', facts.bound)}${fact('Baseline', facts.baseline, facts.change)}${fact('Rows to settle it', check.rowsToSettle === undefined ? '' : `about ${counted(check.rowsToSettle, 'more', 'more')}`)}</dl>`;
  return html`<article class="card check s-${check.status}" id="check-${position}">
<header><h3>${excerpt(check.title, 200)}</h3>${badge(check)}</header>
<p class="message">${excerpt(check.message, 1000)}</p>
${check.waiver === undefined ? '' : html`<p class="message"><b>Waived until ${excerpt(check.waiver.expires, 20)}:</b> ${excerpt(check.waiver.reason, 500)}</p>`}
<div class="body${drawing === undefined ? ' plain' : ''}">${list}${drawing}</div>
${failingRows(check)}
<footer>${facts.method === '' ? '' : html`<span>${excerpt(facts.method, 200)}</span>`}${facts.place === '' ? '' : html`<code>${excerpt(facts.place, 200)}</code>`}<code>${excerpt(check.id, 200)}</code></footer>
</article>
`;
}

function badge(check: Check): Markup {
  return html`<span class="badge s-${check.status}"><span aria-hidden="true">${statusWords[check.status].symbol}</span>${check.status}</span>`;
}

function failingRows(check: Check): Markup | undefined {
  const failing = check.failing;
  if (failing === undefined || failing.rows.length === 0) return undefined;
  const more = failing.total - failing.rows.length;
  const numbered = failing.rows.some(({ row }) => row !== undefined);
  const cells = (values: readonly (string | null)[]) =>
    failing.columns.map((_, column) => {
      const value = values[column];
      return html`<td>${value === null ? html`<em>null</em>` : value === undefined ? '' : excerpt(value)}</td>`;
    });
  return html`<details class="rows"${failing.rows.length <= 12 ? trusted(' open') : ''}><summary>${counted(failing.total, 'failing row')}${more > 0 ? html` <span class="muted">· ${numbered ? 'the first ' : ''}${failing.rows.length}${numbered ? '' : ' of them'}</span>` : ''}</summary>
<div class="scroll"><table class="failing"><thead><tr>${numbered ? html`<th scope="col" class="num">row</th>` : ''}${failing.columns.map((name) => html`<th scope="col">${excerpt(name)}</th>`)}</tr></thead>
<tbody>${failing.rows.map(({ row, file, values }) => html`<tr>${numbered ? html`<td class="num">${excerpt(rowWords(row, file), 120)}</td>` : ''}${cells(values)}</tr>\n`)}</tbody></table></div></details>`;
}

function checksSection(
  section: Check['section'],
  groups: readonly CheckGroup[],
  before: Markup | undefined,
  cards: ReadonlyMap<Check, number>,
): Markup {
  return html`<section id="${section}" aria-labelledby="${section}-title">
<h2 id="${section}-title">${sectionTitles[section]}</h2>
${before}
${groups.map((group) => groupTable(group, cards))}
</section>`;
}

function groupTable({ source, checks, title }: CheckGroup, cards: ReadonlyMap<Check, number>): Markup {
  const fold = foldPasses(checks);
  const passed = fold.shown.filter((check) => check.status === 'pass');
  const hidden = new Set(passed.slice(passedShown));
  const shown = fold.shown.filter((check) => !hidden.has(check));
  const passes = checks.filter((check) => check.status === 'pass').length;
  return html`<div class="card group"><div class="scroll"><table class="checks">
<caption>${source === '' ? `${title} checks` : html`<code>${excerpt(source, 120)}</code>`} <span class="muted">· ${passes} of ${checks.length} passed</span></caption>
${checkRows(shown, cards)}</table></div>
${fold.folded.map(({ checks: folded, place }) => {
  const listed = folded.slice(0, passedShown);
  const more = folded.length - listed.length;
  return html`<details class="folded"><summary>${counted(folded.length, 'more check')} of <code>${excerpt(place)}</code> passed</summary><div class="scroll"><table class="checks">${checkRows(listed, cards)}</table></div>${more > 0 ? html`<p class="notice s-pass">${counted(more, 'more check')} passed; report.json lists them.</p>` : ''}</details>`;
})}
${hidden.size === 0 ? '' : html`<p class="notice s-pass">${counted(hidden.size, 'more check')} passed; report.json lists them.</p>`}</div>`;
}

function checkRows(checks: readonly Check[], cards: ReadonlyMap<Check, number>): Markup {
  const rows = checks.map((check) => ({ check, facts: factsOf(check), drawing: intervalDrawing(check, 'row') }));
  const columns = {
    baseline: rows.some(({ facts }) => facts.baseline !== ''),
    interval: rows.some(({ drawing }) => drawing !== undefined),
    n: rows.some(({ check }) => check.evidence !== undefined),
  };
  return html`<thead><tr><th scope="col">Status</th><th scope="col">Check</th><th scope="col" class="num">Observed</th><th scope="col">Bound</th>${columns.baseline ? html`<th scope="col" class="num">Baseline</th>` : ''}${columns.interval ? html`<th scope="col">Interval and bound</th>` : ''}${columns.n ? html`<th scope="col" class="num">n</th>` : ''}</tr></thead>
<tbody>${rows.map(({ check, facts, drawing }) => {
    const target = cards.get(check);
    const name = excerpt(check.title, 120);
    return html`<tr class="s-${check.status}"><td><span class="status"><i aria-hidden="true">${statusWords[check.status].symbol}</i>${check.status}</span></td><td class="name">${target === undefined ? name : html`<a href="#check-${target}">${name}</a>`}${check.status === 'skipped' ? html`<span class="id">${excerpt(check.message, 200)}</span>` : ''}</td><td class="num" data-label="observed">${excerpt(facts.observed, 40)}</td><td data-label="bound">${excerpt(facts.bound, 60)}</td>${columns.baseline ? html`<td class="num" data-label="baseline">${facts.baseline === '' ? '' : html`${facts.baseline} <span class="muted">${facts.change}</span>`}</td>` : ''}${columns.interval ? html`<td class="wide nowrap">${drawing === undefined ? '' : html`${drawing}<span class="small muted">${facts.interval}</span>`}</td>` : ''}${columns.n ? html`<td class="num" data-label="n">${check.evidence === undefined ? '' : grouped(String(check.evidence.n))}</td>` : ''}</tr>\n`;
  })}</tbody>`;
}

function comparison(metrics: ReturnType<typeof comparedMetricsOf>): Markup | undefined {
  if (metrics.length === 0) return undefined;
  return html`<div class="card group"><div class="scroll"><table>
<caption>Candidate and baseline <span class="muted">· on the same rows</span></caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="num">Candidate</th><th scope="col" class="num">Baseline</th><th scope="col" class="num">Change</th></tr></thead>
<tbody>${metrics.map((metric) => html`<tr><th scope="row">${excerpt(metric.name)}</th><td class="num">${metric.candidate}</td><td class="num">${metric.baseline}</td><td class="num">${metric.change}</td></tr>\n`)}</tbody></table></div></div>`;
}

function figures(report: Report): Markup | undefined {
  if (report.figures.length === 0) return undefined;
  return html`<section id="figures" aria-labelledby="figures-title">
<h2 id="figures-title">Figures</h2>
<div class="plots">${report.figures.map((figure) => html`${figureMarkup(figure)}\n`)}</div>
</section>`;
}

function policyChanges(report: Report): Markup | undefined {
  const differences = report.policy.differences;
  if (differences.length === 0) return undefined;
  const words = { base: 'base branch', head: 'pull request', both: 'both' };
  const value = (text: string | undefined) =>
    text === undefined ? html`<span class="muted">absent</span>` : html`<code>${excerpt(text, 200)}</code>`;
  return html`<section id="policy" aria-labelledby="policy-title">
<h2 id="policy-title">Policy changes</h2>
<div class="card group"><div class="scroll"><table>
<caption>What the pull request changes in ${excerpt(report.policy.file)} <span class="muted">· a run is judged by the stricter side; relaxing takes effect after merge</span></caption>
<thead><tr><th scope="col">Key</th><th scope="col">Base branch</th><th scope="col">Pull request</th><th scope="col">Judged by</th></tr></thead>
<tbody>${differences.map((difference) => html`<tr><th scope="row"><code>${excerpt(difference.key, 200)}</code></th><td>${value(difference.base)}</td><td>${value(difference.head)}</td><td>${words[difference.effective]}</td></tr>\n`)}</tbody></table></div></div>
</section>`;
}

/** What the columns of a file hold. */
function profileCard({ path, rows, profile }: Report['sources'][number]): Markup | '' {
  if (profile === undefined || profile.length === 0) return '';
  return html`<div class="card profile"><details><summary>Profile of ${excerpt(path, 120)}: ${counted(profile.length, 'column')}</summary><div class="scroll"><table><thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col" class="num">Missing</th><th scope="col" class="num">Different</th><th scope="col" class="num">Least</th><th scope="col" class="num">Mean ± sd</th><th scope="col" class="num">Greatest</th><th scope="col">Distribution</th></tr></thead><tbody>${profile.map(
    (column) =>
      html`<tr><td>${excerpt(column.name)}</td><td>${excerpt(column.type)}</td><td class="num">${shareOf(column.missing, rows)}</td><td class="num">≈ ${grouped(String(column.different))}</td><td class="num">${excerpt(column.min ?? '')}</td><td class="num">${spreadOf(column)}</td><td class="num">${excerpt(column.max ?? '')}</td><td>${column.bars === undefined ? excerpt(distributionOf(column, rows), 200) : html`<code>${distributionOf(column, rows)}</code>`}</td></tr>\n`,
  )}</tbody></table></div></details></div>`;
}

function run(report: Report): Markup {
  const { environment, tool, commit } = report;
  return html`<section id="run" aria-labelledby="run-title">
<h2 id="run-title">This run</h2>
<div class="models">
${modelCard('Candidate', report.candidate)}
${modelCard('Baseline', report.baseline)}
${
  report.sources.length === 0
    ? ''
    : html`<div class="card"><div class="scroll"><table><caption>Data</caption><thead><tr><th scope="col">File</th><th scope="col" class="num">Rows</th><th scope="col">SHA-256</th></tr></thead><tbody>${report.sources.map((source) => html`<tr><td>${excerpt(source.path, 120)}${source.form === undefined ? '' : html`<br><span class="muted">${excerpt(source.form, 160)}</span>`}</td><td class="num">${grouped(String(source.rows))}</td><td>${source.sha256 === undefined ? '' : html`<code title="${source.sha256}">${source.sha256.slice(0, 12)}…</code>`}</td></tr>`)}</tbody></table></div></div>`
}
<div class="card"><table class="kv"><caption>Environment</caption><tbody>
${pair('Sluice', tool.version)}${pair('Node.js', environment.node)}${pair('ONNX Runtime', environment.onnxruntime)}${pair('DuckDB', environment.duckdb)}${pair('Platform', environment.platform)}${pair('Processor', environment.cpu)}${pair('Instructions', environment.cpuFlags?.join(' '))}${pair('Commit', commit?.head)}${pair('Base commit', commit?.base)}
</tbody></table></div>${report.sources.map(profileCard)}
</div>
<p class="page-end">Sluice ${excerpt(tool.version, 40)}. This page loads nothing and runs no script. Intervals: the truth lies below the lower bound, or above the upper one, with a chance of at most one minus the evidence, each. The shaded side is the one the bound forbids.</p>
</section>`;
}

function modelCard(title: string, model: ModelSummary | undefined): Markup | undefined {
  if (model === undefined) return undefined;
  const count = (value: number | undefined) => (value === undefined ? undefined : grouped(String(value)));
  return html`<div class="card"><table class="kv"><caption>${title}</caption><tbody>
${pair('File', model.path)}${pair('Size', `${formatBytes(model.bytes)} (${counted(model.bytes, 'byte')})`)}${pair('Parameters', count(model.parameters))}${pair('Weights', model.weights?.map(({ type, bytes }) => `${type} ${formatBytes(bytes)}`).join(', '))}${pair('Operators', count(model.operators))}${pair('Multiply-accumulates a row', count(model.operations))}${pair('Opset', count(model.opset))}${pair('Producer', model.producer)}${pair('SHA-256', model.sha256, true)}
</tbody></table></div>`;
}

function pair(name: string, value: string | undefined, code = false): Markup | undefined {
  if (value === undefined || value === '') return undefined;
  const shown = excerpt(value, 200);
  return html`<tr><th scope="row">${name}</th><td>${code ? html`<code>${shown}</code>` : shown}</td></tr>`;
}
