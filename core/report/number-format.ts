import type { Bound, Check, Unit } from './check.ts';
import { grouped } from './vocabulary.ts';

/** What a number needs to be read: its unit, and whether shares are percentages here (data) or metric values (gates). */
export interface Scale {
  readonly unit: Unit;
  readonly percent: boolean;
}

/**
 * A share of rows reads as `97.7 %`; an accuracy stays `0.9512`, as everyone writes it. `unit`: an interval's own unit, where it
 * has one; a share there is a change in percent of the baseline.
 */
export function scaleOf(check: Pick<Check, 'unit' | 'section'>, unit?: Unit): Scale {
  const percent = unit === 'share' || (unit === undefined && check.unit === 'share' && check.section !== 'gate');
  return { unit: unit ?? check.unit ?? 'none', percent };
}

/**
 * A measured number with its unit: `0.9512`, `12.3 ms`, `97.7 %`, `1,204 rows`. Where `bound` is given, as many decimals
 * (at most 10) as it takes not to print a broken bound as one that is met.
 */
export function formatNumber(value: number, scale: Scale, bound?: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const shown = scale.percent ? value * 100 : value;
  const target = bound === undefined || bound === value ? undefined : scale.percent ? bound * 100 : bound;
  let decimals = decimalsOf(shown, scale);
  // 99.98 % of rows is not 100 %, and 3 rows in a million are not 0 %.
  const limits = scale.percent ? [0, 100].filter((limit) => limit !== shown) : [];
  const lies = () =>
    [...limits, ...(target === undefined ? [] : [target])].some((other) => Number(shown.toFixed(decimals)) === other);
  while (decimals < 10 && lies()) decimals += 1;
  return withUnit(decimalText(shown, decimals), scale);
}

/** A number as the policy wrote it, short: `0.90`, `100 ms`, `95 %`. */
export function formatDemand(value: number, scale: Scale): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const shown = Number((scale.percent ? value * 100 : value).toPrecision(12));
  const short = Math.abs(shown) < 1e-6 && shown !== 0 ? String(shown) : trimmed(shown.toFixed(10));
  const fraction = /^-?0\.\d$/.test(short) && !scale.percent && ['share', 'ratio', 'none'].includes(scale.unit);
  return withUnit(grouped(fraction ? `${short}0` : short).replace('-', '−'), scale);
}

/** `≥ 0.90`, `≤ 100 ms`, `≤ 0.01 worse`, `≤ 10 % worse`, or the demand's own words. */
export function formatBound(bound: Bound, scale: Scale): string {
  const sign = { min: '≥ ', max: '≤ ', equal: '= ', max_regression: '≤ ', min_improvement: '≥ ', must_hold: '' }[
    bound.kind
  ];
  const direction = bound.kind === 'max_regression' ? ' worse' : bound.kind === 'min_improvement' ? ' better' : '';
  const value =
    typeof bound.value === 'string'
      ? bound.value
      : formatDemand(bound.value, bound.relative === true ? { unit: 'share', percent: true } : scale);
  return `${sign}${value}${direction}`;
}

/** A difference with its sign: `+0.0123`, `−4.2 ms`, `±0`. */
export function formatChange(change: number, scale: Scale): string {
  if (change === 0) return '±0';
  const text = formatNumber(Math.abs(change), scale.percent ? { unit: 'share', percent: true } : scale);
  return `${change < 0 ? '−' : '+'}${text}`;
}

/** `14.2 kB`, `3.10 MB`: decimal units, as the policy's `max_mb`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toPrecision(3).replace(/e.*$/, '')} ${units[power - 1]}`;
}

function formatNonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
}

function decimalsOf(value: number, { unit, percent }: Scale): number {
  const size = Math.abs(value);
  if (percent) return Number.isInteger(value) ? 0 : 1;
  if (unit === 'rows' || unit === 'count') return Number.isInteger(value) ? 0 : 1;
  if (unit === 'none' && Number.isInteger(value)) return 0;
  if (unit === 'ms' || unit === 'MB') return size === 0 || size >= 100 ? 0 : size >= 1 ? 1 : significant(size, 3);
  if (size >= 1000) return 1;
  if (size >= 10) return 2;
  return size === 0 || size >= 0.001 ? 4 : significant(size, 3);
}

// Decimals that keep `digits` significant digits of a number below 1.
function significant(size: number, digits: number): number {
  return Math.min(digits - 1 - Math.floor(Math.log10(size)), 10);
}

function decimalText(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  // Too small for ten decimals: an exponent is honest, a row of zeros is not.
  if (value !== 0 && Number(text) === 0) return value.toExponential(1).replaceAll('-', '−');
  return grouped(text).replace('-', '−');
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function withUnit(text: string, { unit, percent }: Scale): string {
  if (percent) return `${text} %`;
  if (unit === 'ms' || unit === 'MB') return `${text} ${unit}`;
  if (unit === 'rows') return `${text} ${text === '1' ? 'row' : 'rows'}`;
  return text;
}
