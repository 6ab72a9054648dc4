import { expect, test } from 'vitest';
import { assembleReport } from '../assemble-report.ts';
import type { HistogramFigure } from '../figure.ts';
import { passedReport } from '../fixture-reports.ts';
import { parseReport } from '../parse-report.ts';
import { renderJson } from '../render-json.ts';
import { renderHtml } from './render-html.ts';

const hostile = '<img src=x onerror=alert(1)>\u202e';
const figureOf = (labels: readonly string[]): HistogramFigure => ({
  kind: 'histogram',
  id: 'classes',
  title: 'country: reference and current',
  labels,
  series: ['reference', 'current'].map((name, side) => ({
    name,
    edges: [...labels.map((_, bar) => bar), labels.length],
    counts: labels.map((_, bar) => bar + side),
  })),
});
const reportOf = (labels: readonly string[]) => {
  const { schema: _schema, verdict: _verdict, headline: _headline, ...parts } = passedReport;
  return assembleReport({ ...parts, figures: [figureOf(labels)] });
};

test('classes are drawn by their names, and told by them to who does not see', () => {
  const page = renderHtml(reportOf(['KR', 'US', '(no value)']));
  expect(page).toMatch(/>KR<\/text>/);
  expect(page).toContain('reference: KR 0, US 1, (no value) 2; current: KR 1, US 2, (no value) 3');
});

test('many and long names are slanted and cut, hostile ones are text', () => {
  const labels = [hostile, ...Array.from({ length: 15 }, (_, index) => `a long name of a class ${index}`)];
  const page = renderHtml(reportOf(labels));
  expect(page).not.toContain('<img');
  expect(page).not.toContain('\u202e');
  expect(page).toMatch(/rotate\(-45\)/);
  expect(page).toContain('a long name of …');
});

test('a report with them is read back as it was written', () => {
  const report = reportOf(['KR', hostile]);
  expect(parseReport(renderJson(report)).figures).toEqual(report.figures);
});
