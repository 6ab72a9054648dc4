import { expect, test } from 'vitest';
import { type ColumnProfile, distributionOf, shareOf, sparkline, spreadOf } from './column-profile.ts';
import { failedReport } from './fixture-reports.ts';
import { parseReport, renderHtml, renderJson, renderMarkdown } from './index.ts';

const profile: readonly ColumnProfile[] = [
  {
    name: 'age',
    type: 'integer',
    missing: 5,
    different: 60,
    min: '18',
    max: '77',
    mean: 47.5,
    std: 17.31,
    bars: [5, 10, 0, 1],
  },
  {
    name: '<img src=x> | `a`',
    type: 'string',
    missing: 0,
    different: 2,
    top: [
      { value: '<script>alert(1)</script>', rows: 75 },
      { value: '**b**', rows: 25 },
    ],
  },
];
const report = { ...failedReport, sources: [{ path: 'rows.csv', rows: 100, form: 'CSV, commas', profile }] };

test('counts are drawn as blocks, the tallest for the largest, none for none', () => {
  expect(sparkline([0, 1, 4, 8])).toBe(' ▂▅█');
  expect(sparkline([])).toBe('');
});

test('what a column holds is told in a few words', () => {
  const [age, text] = profile;
  if (age === undefined || text === undefined) throw new Error('two columns');
  expect(distributionOf(age, 100)).toBe('▅█ ▁');
  expect(distributionOf(text, 100)).toBe('<script>alert(1)</script> 75 %, **b** 25 %');
  expect([shareOf(0, 100), shareOf(5, 100)]).toEqual(['0', '5 (5 %)']);
  expect([spreadOf(age), spreadOf(text)]).toEqual(['47.5 ± 17.31', '']);
});

test('a profile is folded away in Markdown and a table in HTML; nothing of it is markup', async () => {
  const markdown = renderMarkdown(report);
  expect(markdown).toContain('Profile of rows.csv: 100 rows, 2 columns');
  const html = await renderHtml(report);
  expect(html).toContain('Profile of rows.csv');
  for (const rendered of [markdown, html]) {
    expect(rendered).toContain('▅█');
    expect(rendered).not.toMatch(/<img|<script/);
  }
});

test('a report with a profile reads back as it was', () => {
  expect(parseReport(JSON.parse(renderJson(report))).sources).toEqual(report.sources);
});
