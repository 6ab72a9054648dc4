import { excerpt } from '../../text/index.ts';
import type { Check } from '../check.ts';
import { factsOf } from '../check-facts.ts';
import { type IntervalScale, intervalScaleOf } from '../interval-scale.ts';
import { formatDemand, formatNumber, scaleOf } from '../number-format.ts';
import { html, type Markup } from './markup.ts';

/** A check's interval against its bound as a small drawing: the side the bound forbids is shaded. Nothing without an interval. */
export function intervalDrawing(check: Check, size: 'row' | 'card'): Markup | undefined {
  const scale = intervalScaleOf(check);
  if (scale === undefined) return undefined;
  return size === 'row' ? rowDrawing(check, scale) : cardDrawing(check, scale);
}

function rowDrawing(check: Check, scale: IntervalScale): Markup {
  const width = 150;
  const height = 18;
  const x = (at: number) => round(at * width);
  return html`<svg class="interval" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${labelOf(check)}">${forbidden(scale, x, width, 1, height - 2)}${bar(check, scale, x, height / 2, 4)}${boundLine(scale, x, 1, height - 1)}</svg>`;
}

function cardDrawing(check: Check, scale: IntervalScale): Markup {
  const width = 440;
  const height = 74;
  const middle = 36;
  const x = (at: number) => round(10 + at * (width - 20));
  const numbers = scaleOf(check, check.evidence?.unit);
  const bound = scale.bound;
  const text = (value: number) => formatNumber(value, numbers, bound?.value);
  const evidence = check.evidence;
  if (evidence === undefined) return html``;
  const ends = [
    { at: scale.lower, value: text(evidence.lower) },
    { at: scale.upper, value: text(evidence.upper) },
  ];
  // Labels of a narrow interval would run into each other: then they lean away from it.
  const narrow = x(scale.upper) - x(scale.lower) < 70;
  const labels = ends.map(({ at, value }, end) => {
    const anchor = narrow ? (end === 0 ? 'end' : 'start') : 'middle';
    const shift = narrow ? (end === 0 ? 6 : -6) : 0;
    return html`<text x="${round(clamp(x(at) + shift, anchor === 'end' ? 40 : 20, width - (anchor === 'start' ? 40 : 20)))}" y="${middle + 27}" text-anchor="${anchor}">${value}</text>`;
  });
  const boundLabel =
    bound === undefined
      ? undefined
      : html`<text class="bound-label" x="${clamp(x(bound.at), 34, width - 34)}" y="11" text-anchor="middle">${bound.kind === 'min' ? '≥' : '≤'} ${formatDemand(bound.value, numbers)}</text>`;
  return html`<svg class="interval large" viewBox="0 0 ${width} ${height}" role="img" aria-label="${labelOf(check)}">${forbidden(scale, x, width, 18, 36)}<line class="track" x1="0" x2="${width}" y1="${middle}" y2="${middle}"/>${bar(check, scale, x, middle, 7)}${boundLine(scale, x, 16, 56)}${boundLabel}${labels}</svg>`;
}

function forbidden(
  { bound }: IntervalScale,
  x: (at: number) => number,
  width: number,
  y: number,
  height: number,
): Markup {
  if (bound === undefined) return html``;
  const at = x(bound.at);
  return bound.kind === 'min'
    ? html`<rect class="forbidden" x="0" y="${y}" width="${at}" height="${height}" rx="2"/>`
    : html`<rect class="forbidden" x="${at}" y="${y}" width="${round(width - at)}" height="${height}" rx="2"/>`;
}

function bar(check: Check, scale: IntervalScale, x: (at: number) => number, y: number, cap: number): Markup {
  const [lower, estimate, upper] = [x(scale.lower), x(scale.estimate), x(scale.upper)];
  // An end that is not known is an arrow, not a cap.
  const left =
    check.evidence?.lower === -Infinity ? `l${cap} ${-cap}m${-cap} ${cap}l${cap} ${cap}` : `v${-cap}v${2 * cap}`;
  const right =
    check.evidence?.upper === Infinity ? `l${-cap} ${-cap}m${cap} ${cap}l${-cap} ${cap}` : `v${-cap}v${2 * cap}`;
  return html`<g class="s-${check.status}"><path class="span" d="M${lower} ${y}${left}M${lower} ${y}H${upper}${right}"/><circle class="dot" cx="${estimate}" cy="${y}" r="${cap}"/></g>`;
}

function boundLine({ bound }: IntervalScale, x: (at: number) => number, top: number, bottom: number): Markup {
  return bound === undefined ? html`` : html`<path class="bound-line" d="M${x(bound.at)} ${top}V${bottom}"/>`;
}

function labelOf(check: Check): string {
  const facts = factsOf(check);
  return excerpt(
    `${check.title}: interval ${facts.interval}, ${facts.method}; ${facts.decisive}; ${check.status}`,
    400,
  );
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
