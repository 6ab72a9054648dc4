import { expect, it } from 'vitest';
import { passedReport } from './fixture-reports.ts';
import { renderHtml, renderMarkdown } from './index.ts';
import { parseReport } from './parse-report.ts';
import { renderJson } from './render-json.ts';
import type { Report } from './report.ts';

const report: Report = {
  ...passedReport,
  figures: [
    {
      kind: 'table',
      id: 'variants',
      title: 'Variants <b>',
      columns: ['Variant', 'Bytes'],
      rows: [
        ['the model', '1,000'],
        ['<img src=x onerror=alert(1)> | @team', '300'],
      ],
    },
  ],
};

it('a table is written as one, in HTML and in Markdown, and its words stay words', async () => {
  const page = await renderHtml(report);
  expect(page).toContain('<td>1,000</td>');
  expect(page).not.toContain('<img src=x');
  const comment = renderMarkdown(report);
  expect(comment).toContain('| the model | 1,000 |');
  expect(comment).not.toMatch(/<img|@team/);
});

it('a table survives the way through JSON', () => {
  expect(parseReport(renderJson(report)).figures).toEqual(report.figures);
});
