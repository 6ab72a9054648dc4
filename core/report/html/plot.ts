/**
 * Figures as SVG by Observable Plot, drawn into a domino document: no browser. Chosen over Vega-Lite and ECharts by trying all three:
 *
 * | | minified bundle | gzip | first plot | each more | colours from CSS | same text every time | accessible names |
 * |---|---|---|---|---|---|---|---|
 * | Plot 0.6 + domino 2 | 492 kB | 156 kB | 21 ms | 2 ms | yes, and `currentColor` throughout | yes | yes |
 * | ECharts 6 (tree-shaken) | 613 kB | 213 kB | 34 ms | 10 ms | only some marks | no (class names count up) | no |
 * | Vega 6 + Vega-Lite 6 | 797 kB | 281 kB | 59 ms | 18 ms | white background and greys written in | yes | yes |
 */
import domino from '@mixmark-io/domino';
import * as Plot from '@observablehq/plot';
import { excerpt } from '../../text/index.ts';
import type {
  CalibrationFigure,
  ConfusionFigure,
  Curve,
  Figure,
  HistogramFigure,
  IntervalsFigure,
  LatencyFigure,
  PrecisionRecallFigure,
  ResidualsFigure,
  RocFigure,
  RolloutFigure,
  TableFigure,
} from '../figure.ts';
import { formatNumber } from '../number-format.ts';
import { counted, grouped } from '../vocabulary.ts';
import { html, type Markup, trusted } from './markup.ts';

interface Drawing {
  readonly svg: Markup;
  readonly legend: readonly { readonly name: string; readonly colour: string; readonly note: string }[];
  /** What the drawing says, for those who do not see it. */
  readonly summary: string;
  readonly wide?: boolean;
}

const candidate = 'var(--candidate)';
const baseline = 'var(--baseline)';
const muted = 'var(--muted)';
const reference = { stroke: muted, strokeDasharray: '3 4', strokeOpacity: 0.8 };
const shapes = { width: 500, height: 350, marginLeft: 50, marginBottom: 44, marginRight: 16, marginTop: 28 };

/** One figure with its caption and legend. */
export function figureMarkup(figure: Figure): Markup {
  if (figure.kind === 'table') return tableMarkup(figure);
  const { svg, legend, summary, wide } = drawingOf(figure);
  const keys = legend.map(
    ({ name, colour, note }) =>
      html`<li><span class="swatch" style="background:${colour}"></span>${excerpt(name, 40)}${note === '' ? '' : html` <span class="muted">${note}</span>`}</li>`,
  );
  return html`<figure class="plot${wide === true ? ' wide' : ''}"><figcaption><h3>${excerpt(figure.title)}</h3>${legend.length === 0 ? '' : html`<ul class="legend">${keys}</ul>`}</figcaption><div role="img" aria-label="${excerpt(`${figure.title}. ${summary}`, 400)}">${svg}</div>${figure.kind === 'intervals' && figure.table === true ? numbersOf(figure) : ''}</figure>`;
}

/** The drawing's numbers, folded. */
function numbersOf({ rows, metric }: IntervalsFigure): Markup {
  const scale = { unit: 'none', percent: false } as const;
  const number = (value: number) => html`<td class="num">${formatNumber(value, scale)}</td>`;
  return html`<details class="rows"><summary>Numbers</summary><div class="scroll"><table><thead><tr><th scope="col"></th><th scope="col" class="num">${excerpt(metric, 60)}</th><th scope="col" class="num">from</th><th scope="col" class="num">to</th></tr></thead><tbody>${rows.map(({ name, estimate, lower, upper }) => html`<tr><td>${excerpt(name, 80)}</td>${number(estimate)}${number(lower)}${number(upper)}</tr>`)}</tbody></table></div></details>`;
}

function tableMarkup({ title, columns, rows }: TableFigure): Markup {
  const head = columns.map((column) => html`<th scope="col">${excerpt(column, 60)}</th>`);
  const body = rows.map((row) => html`<tr>${row.map((cell) => html`<td>${excerpt(cell, 300)}</td>`)}</tr>`);
  return html`<figure class="plot wide"><figcaption><h3>${excerpt(title)}</h3></figcaption><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div></figure>`;
}

function drawingOf(figure: Exclude<Figure, TableFigure>): Drawing {
  switch (figure.kind) {
    case 'roc':
      return rocDrawing(figure);
    case 'precision_recall':
      return precisionRecallDrawing(figure);
    case 'calibration':
      return calibrationDrawing(figure);
    case 'confusion':
      return confusionDrawing(figure);
    case 'intervals':
      return intervalsDrawing(figure);
    case 'latency':
      return latencyDrawing(figure);
    case 'residuals':
      return residualsDrawing(figure);
    case 'histogram':
      return histogramDrawing(figure);
    case 'rollout':
      return rolloutDrawing(figure);
  }
}

function rocDrawing({ curves }: RocFigure): Drawing {
  return {
    svg: draw({
      ...shapes,
      ...unitSquare('False positive rate', 'True positive rate'),
      marks: [diagonal(), ...curveMarks(curves, 'linear', true)],
    }),
    ...curveWords(curves, 'AUC'),
  };
}

function precisionRecallDrawing({ curves }: PrecisionRecallFigure): Drawing {
  return {
    // A point's precision holds down to the next lower recall: straight lines between points would be too kind.
    svg: draw({ ...shapes, ...unitSquare('Recall', 'Precision'), marks: curveMarks(curves, 'step-before', true) }),
    ...curveWords(curves, 'AP'),
  };
}

function calibrationDrawing({ curves }: CalibrationFigure): Drawing {
  return {
    svg: draw({
      ...shapes,
      ...unitSquare('Mean predicted probability', 'Share of positives'),
      marks: [
        diagonal(),
        ...curveMarks(curves, 'linear', false),
        ...drawnLast(curves).map((curve) =>
          Plot.dot(pointsOf(curve), { x: 'x', y: 'y', r: 3.5, fill: colourOf(curve.name), stroke: 'var(--card)' }),
        ),
      ],
    }),
    ...curveWords(curves, 'ECE'),
  };
}

function confusionDrawing({ labels, counts }: ConfusionFigure): Drawing {
  const names = labels.map((label, position) => uniqueName(label, position, labels));
  const cells = counts.flatMap((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => ({
      actual: names[actual] ?? String(actual),
      predicted: names[predicted] ?? String(predicted),
      count,
      share: total === 0 ? 0 : count / total,
      right: actual === predicted,
    }));
  });
  const few = labels.length <= 8;
  const height = few ? Math.min(80 + labels.length * 100, 480) : Math.min(110 + labels.length * 24, 560);
  const correct = cells.filter((cell) => cell.right).reduce((sum, cell) => sum + cell.count, 0);
  const all = cells.reduce((sum, cell) => sum + cell.count, 0);
  const left = Math.min(200, 24 + 7 * Math.max(4, ...names.map(columnsOf)));
  return {
    svg: draw({
      width: 500,
      height,
      marginLeft: left,
      marginBottom: few ? 44 : 90,
      marginTop: 14,
      marginRight: 10,
      padding: 0.04,
      x: {
        label: 'predicted →',
        domain: names,
        tickSize: 0,
        labelAnchor: 'center',
        labelArrow: 'none',
        ...(few ? {} : { tickRotate: -60 }),
      },
      y: { label: '↓ actual', domain: names, tickSize: 0, labelAnchor: 'top', labelArrow: 'none' },
      marks: [
        Plot.cell(cells, {
          x: 'predicted',
          y: 'actual',
          rx: 4,
          fill: (cell: (typeof cells)[number]) => (cell.right ? 'var(--candidate)' : 'var(--fail)'),
          fillOpacity: (cell: (typeof cells)[number]) => 0.07 + 0.55 * cell.share,
        }),
        ...(few
          ? [
              Plot.text(cells, {
                x: 'predicted',
                y: 'actual',
                text: (cell: (typeof cells)[number]) => grouped(String(cell.count)),
                fontSize: 17,
                fontWeight: 600,
                fill: 'currentColor',
                dy: -6,
              }),
              Plot.text(cells, {
                x: 'predicted',
                y: 'actual',
                text: (cell: (typeof cells)[number]) => `${(cell.share * 100).toFixed(1)} %`,
                fontSize: 11,
                fill: 'currentColor',
                dy: 13,
              }),
            ]
          : []),
      ],
    }),
    legend: [],
    summary: `${grouped(String(correct))} of ${counted(all, 'row')} are predicted right. ${few ? cells.map((cell) => `actual ${cell.actual}, predicted ${cell.predicted}: ${cell.count}`).join('; ') : ''}`,
  };
}

function intervalsDrawing({ rows, bound, metric }: IntervalsFigure): Drawing {
  const shown = rows.slice(0, 60);
  const names = shown.map((row) => row.name);
  const data = shown.map((row, position) => ({ ...row, name: uniqueName(row.name, position, names) }));
  const left = Math.min(220, 20 + 7.2 * Math.max(4, ...data.map((row) => columnsOf(row.name))));
  const values = [...data.flatMap((row) => [row.lower, row.upper]), ...(bound === undefined ? [] : [bound])];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = (most - least) * 0.06 || Math.abs(most) * 0.1 || 1;
  return {
    svg: draw({
      width: 720,
      height: 64 + data.length * 30,
      marginLeft: left,
      marginRight: 86,
      marginBottom: 40,
      marginTop: 12,
      x: {
        label: excerpt(metric, 40),
        labelAnchor: 'center',
        labelArrow: 'none',
        grid: true,
        domain: [least - margin, most + margin],
        ticks: 6,
      },
      y: { label: null, domain: data.map((row) => row.name), tickSize: 0, padding: 0.4 },
      marks: [
        ...(bound === undefined
          ? []
          : [Plot.ruleX([bound], { stroke: 'var(--fail)', strokeWidth: 1.5, strokeDasharray: '5 3' })]),
        Plot.link(data, {
          x1: 'lower',
          x2: 'upper',
          y1: 'name',
          y2: 'name',
          stroke: candidate,
          strokeWidth: 2.5,
          strokeLinecap: 'round',
        }),
        Plot.tickX(data, { x: 'lower', y: 'name', stroke: candidate, strokeWidth: 2, inset: 3 }),
        Plot.tickX(data, { x: 'upper', y: 'name', stroke: candidate, strokeWidth: 2, inset: 3 }),
        Plot.dot(data, { x: 'estimate', y: 'name', r: 4.5, fill: candidate, stroke: 'var(--card)' }),
        Plot.text(data, {
          y: 'name',
          frameAnchor: 'right',
          dx: 80,
          textAnchor: 'end',
          fill: muted,
          text: (row: (typeof data)[number]) => `n = ${grouped(String(row.n))}`,
        }),
      ],
    }),
    legend: [
      { name: 'estimate and interval', colour: candidate, note: '' },
      ...(bound === undefined ? [] : [{ name: 'bound', colour: 'var(--fail)', note: String(bound) }]),
      ...(rows.length > shown.length
        ? [{ name: '', colour: 'transparent', note: `${rows.length - shown.length} more in report.json` }]
        : []),
    ],
    summary: data
      .map((row) => `${row.name}: ${short(row.estimate)} (${short(row.lower)} to ${short(row.upper)}), n ${row.n}`)
      .join('; '),
    wide: true,
  };
}

function latencyDrawing({ series }: LatencyFigure): Drawing {
  const steps = drawnLast(series).map(({ name, ms }) => {
    const sorted = [...ms].sort((a, b) => a - b);
    return { name, sorted, points: sorted.map((value, rank) => ({ x: value, y: (rank + 1) / sorted.length })) };
  });
  const all = steps.flatMap(({ sorted }) => sorted);
  const least = Math.min(...all, Infinity);
  const most = Math.max(...all, 0);
  // A long tail on a linear axis leaves no room for the rest.
  const logarithmic = least > 0 && most / least > 8;
  const quantile = (sorted: readonly number[], share: number) =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  const words = series.map(({ name }) => {
    const sorted = steps.find((step) => step.name === name)?.sorted ?? [];
    const ms = (share: number) => formatNumber(quantile(sorted, share), { unit: 'ms', percent: false });
    return { name, colour: colourOf(name), note: `p50 ${ms(0.5)}, p95 ${ms(0.95)}` };
  });
  return {
    svg: draw({
      ...shapes,
      x: {
        label: 'Milliseconds a call',
        labelAnchor: 'center',
        labelArrow: 'none',
        grid: true,
        ...(logarithmic ? { type: 'log', ticks: 5, tickFormat: '~g' } : { ticks: 6 }),
      },
      y: {
        label: 'Share of calls at most this slow',
        labelArrow: 'none',
        grid: true,
        domain: [0, 1],
        tickFormat: '.0%',
        ticks: 5,
      },
      marks: [
        Plot.ruleY([0.5, 0.95], reference),
        ...steps.flatMap(({ name, points, sorted }) => [
          Plot.line(points, {
            x: 'x',
            y: 'y',
            curve: 'step-after',
            stroke: colourOf(name),
            strokeWidth: name === 'candidate' ? 2.2 : 1.8,
          }),
          Plot.dot(
            [0.5, 0.95].map((share) => ({ x: quantile(sorted, share), y: share })),
            { x: 'x', y: 'y', r: 4, fill: colourOf(name), stroke: 'var(--card)' },
          ),
        ]),
      ],
    }),
    legend: words,
    summary: words.map(({ name, note }) => `${name}: ${note}`).join('; '),
  };
}

function residualsDrawing({ series }: ResidualsFigure): Drawing {
  const values = series.flatMap(({ actual, predicted }) => [...actual, ...predicted]);
  const domain = [Math.min(...values), Math.max(...values)];
  return {
    svg: draw({
      ...shapes,
      marginLeft: 58,
      x: { label: 'Actual', labelAnchor: 'center', labelArrow: 'none', grid: true, domain, nice: true, ticks: 6 },
      y: { label: 'Predicted', labelArrow: 'none', grid: true, domain, nice: true, ticks: 6 },
      marks: [
        Plot.link([domain], {
          x1: (pair: number[]) => pair[0],
          y1: (pair: number[]) => pair[0],
          x2: (pair: number[]) => pair[1],
          y2: (pair: number[]) => pair[1],
          ...reference,
        }),
        ...drawnLast(series).map(({ name, actual, predicted }) =>
          Plot.dot(
            actual.map((value, row) => ({ x: value, y: predicted[row] })),
            name === 'candidate'
              ? { x: 'x', y: 'y', r: 2.6, fill: candidate, fillOpacity: 0.6 }
              : { x: 'x', y: 'y', r: 2.6, stroke: baseline, strokeOpacity: 0.55 },
          ),
        ),
      ],
    }),
    legend: series.map(({ name, actual }) => ({ name, colour: colourOf(name), note: counted(actual.length, 'row') })),
    summary: 'Predicted against actual values; on the dotted line a prediction is exact.',
  };
}

function histogramDrawing({ series, labels }: HistogramFigure): Drawing {
  const shares = series.length > 1;
  const colours = [candidate, baseline, 'var(--inconclusive)', 'var(--pass)', 'var(--warn)', 'var(--waived)'];
  const colour = (position: number) => colours[position % colours.length] ?? candidate;
  const bars = series.map(({ edges, counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count, position) => ({
      x1: edges[position] ?? 0,
      x2: edges[position + 1] ?? edges[position] ?? 0,
      y: shares ? (total === 0 ? 0 : count / total) : count,
    }));
  });
  return {
    svg: draw({
      ...shapes,
      ...(labels === undefined ? { x: { label: null, ticks: 6 } } : labelledAxis(labels)),
      y: {
        label: shares ? 'Share of rows' : 'Rows',
        labelArrow: 'none',
        grid: true,
        ticks: 5,
        zero: true,
        ...(shares ? { tickFormat: '.0%' } : {}),
      },
      marks: [
        ...bars.map((rows, position) =>
          Plot.rectY(rows, {
            x1: 'x1',
            x2: 'x2',
            y: 'y',
            inset: 0.5,
            fill: colour(position),
            fillOpacity: shares ? 0.28 : 0.75,
            stroke: colour(position),
            strokeWidth: shares ? 1.4 : 0,
          }),
        ),
        Plot.ruleY([0], { stroke: muted }),
      ],
    }),
    legend: series.map(({ name, counts }, position) => ({
      name,
      colour: colour(position),
      note: counted(
        counts.reduce((sum, count) => sum + count, 0),
        'row',
      ),
    })),
    summary: series
      .map(({ name, counts }) => {
        const bars = counts.map((count, bar) =>
          labels === undefined ? count : `${excerpt(labels[bar] ?? '', 30)} ${count}`,
        );
        return `${excerpt(name, 40)}: ${bars.join(', ')}`;
      })
      .join('; '),
  };
}

/** Bars that stand for classes have their names under them, at an angle where there are many. */
function labelledAxis(labels: readonly string[]) {
  const names = labels.map((label) => excerpt(label, 16));
  const slanted = names.reduce((sum, label) => sum + columnsOf(label) + 2, 0) > 60;
  return {
    ...(slanted ? { marginBottom: 96 } : {}),
    x: {
      label: null,
      ticks: names.map((_, bar) => bar + 0.5),
      tickFormat: (at: number) => names[Math.floor(at)] ?? '',
      tickSize: 0,
      ...(slanted ? { tickRotate: -45 } : {}),
    },
  };
}

function rolloutDrawing({ seconds, weight, evidence, events }: RolloutFigure): Drawing {
  const [unit, length] = unitOf(seconds.at(-1) ?? 0);
  const times = seconds.map((value) => value / length);
  const series = evidence.slice(0, evidenceColours.length).map(({ name, share }, index) => ({
    name,
    colour: evidenceColours[index] ?? baseline,
    points: times.map((x, position) => ({ x, y: Math.min(1.1, share[position] ?? 0) })),
    most: Math.max(0, ...share),
  }));
  const last = weight.at(-1) ?? 0;
  return {
    svg: draw({
      width: 720,
      height: 300,
      marginLeft: 50,
      marginBottom: 44,
      marginRight: 16,
      marginTop: 28,
      x: { label: `${unit} since the beginning`, labelAnchor: 'center', labelArrow: 'none', grid: true, ticks: 8 },
      y: {
        label: "The canary's requests, and evidence as a share of what rolls back",
        labelArrow: 'none',
        grid: true,
        domain: [0, 1.1],
        tickFormat: '.0%',
        ticks: 5,
      },
      marks: [
        Plot.ruleY([1], { stroke: 'var(--fail)', strokeWidth: 1.5, strokeDasharray: '5 3' }),
        ...(events.length > 40
          ? []
          : [
              Plot.ruleX(
                events.map((event) => event.seconds / length),
                reference,
              ),
            ]),
        Plot.areaY(
          times.map((x, position) => ({ x, y: (weight[position] ?? 0) / 100 })),
          { x: 'x', y1: 0, y2: 'y', curve: 'step-after', fill: candidate, fillOpacity: 0.12 },
        ),
        Plot.line(
          times.map((x, position) => ({ x, y: (weight[position] ?? 0) / 100 })),
          { x: 'x', y: 'y', curve: 'step-after', stroke: candidate, strokeWidth: 2.2 },
        ),
        ...series.map(({ points, colour }) =>
          Plot.line(points, { x: 'x', y: 'y', stroke: colour, strokeWidth: 1.8, strokeDasharray: '6 2' }),
        ),
      ],
    }),
    legend: [
      { name: 'canary', colour: candidate, note: `${last} % at the end` },
      ...series.map(({ name, colour, most }) => ({ name, colour, note: `at most ${Math.round(most * 100)} %` })),
      { name: 'rolls back', colour: 'var(--fail)', note: '' },
    ],
    summary: [
      ...events.slice(0, 12).map((event) => `after ${Math.round(event.seconds)} s: ${event.text}`),
      ...series.map(({ name, most }) => `${name}: at most ${Math.round(most * 100)} % of what rolls back`),
    ].join('; '),
    wide: true,
  };
}

/** The unit a person would count so many seconds in, and its length in seconds. */
function unitOf(seconds: number): readonly [unit: string, length: number] {
  if (seconds < 180) return ['Seconds', 1];
  return seconds < 3 * 3600 ? ['Minutes', 60] : ['Hours', 3600];
}

const evidenceColours = ['var(--baseline)', 'var(--inconclusive)', 'var(--warn)', 'var(--waived)', 'var(--pass)'];

function draw(options: Plot.PlotOptions): Markup {
  const svg = Plot.plot({
    ...options,
    // Plot's types want a browser's document; domino's is one, drawn to text.
    document: domino.createDocument() as NonNullable<Plot.PlotOptions['document']>,
    className: 'plot-drawing',
    style: { background: 'none', fontSize: '11.5px', overflow: 'visible' },
  });
  // Its rules are in the page's style sheet, once.
  svg.querySelector('style')?.remove();
  // A hundredth of a pixel is fine enough, and the same on every machine whatever its last bits say. Only inside tags: texts stay.
  const drawing: string = svg.outerHTML;
  return trusted(
    drawing.replace(/<[^>]+>/g, (tag) =>
      tag.replace(/\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
    ),
  );
}

function unitSquare(x: string, y: string): Plot.PlotOptions {
  return {
    x: { label: x, labelAnchor: 'center', labelArrow: 'none', domain: [0, 1], grid: true, ticks: 5 },
    y: { label: y, labelArrow: 'none', domain: [0, 1], grid: true, ticks: 5 },
  };
}

function diagonal(): Plot.Markish {
  return Plot.link([0], { x1: () => 0, y1: () => 0, x2: () => 1, y2: () => 1, ...reference });
}

function curveMarks(curves: readonly Curve[], curve: 'linear' | 'step-before', filled: boolean): Plot.Markish[] {
  return drawnLast(curves).flatMap((line) => [
    // `y1` and `y2`, not `y`: that would stack the points that share an x, and a ROC curve has many.
    ...(filled && line.name === 'candidate'
      ? [Plot.areaY(pointsOf(line), { x: 'x', y1: 0, y2: 'y', curve, fill: candidate, fillOpacity: 0.08 })]
      : []),
    Plot.line(pointsOf(line), {
      x: 'x',
      y: 'y',
      curve,
      stroke: colourOf(line.name),
      strokeWidth: line.name === 'candidate' ? 2.2 : 1.8,
    }),
  ]);
}

function curveWords(curves: readonly Curve[], what: string): Pick<Drawing, 'legend' | 'summary'> {
  const legend = curves.map(({ name, summary }) => ({
    name,
    colour: colourOf(name),
    note: `${what} ${short(summary)}`,
  }));
  return { legend, summary: legend.map(({ name, note }) => `${name}: ${note}`).join('; ') };
}

function pointsOf({ x, y }: Curve): readonly { readonly x: number; readonly y: number }[] {
  return x.map((value, position) => ({ x: value, y: y[position] ?? 0 }));
}

// The candidate is what the page is about: it lies on top.
function drawnLast<Named extends { readonly name: string }>(items: readonly Named[]): readonly Named[] {
  return [...items].sort((a, b) => Number(a.name === 'candidate') - Number(b.name === 'candidate'));
}

function colourOf(name: 'candidate' | 'baseline'): string {
  return name === 'candidate' ? candidate : baseline;
}

function short(value: number): string {
  return formatNumber(value, { unit: 'share', percent: false });
}

// Two names that only differ beyond the cut must not fall on one place of an axis.
function uniqueName(name: string, position: number, all: readonly string[]): string {
  const cut = excerpt(name, 28);
  const same = all.some((other, index) => index !== position && excerpt(other, 28) === cut);
  return same ? `${excerpt(name, 22)} (${position + 1})` : cut;
}

// Wide characters count twice; near enough for a margin.
function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + ((character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1), 0);
}
