import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { assembleReport } from '../assemble-report.ts';
import { failedReport, fixtureReports, hostileReport, hugeReport, passedReport } from '../fixture-reports.ts';
import { renderMarkdown } from './render-markdown.ts';

// What a reader's browser gets: every table whole, every <details> closed, no tag but ours.
function requireValid(markdown: string): void {
  const html = marked.parse(markdown, { async: false });
  const tags = html.match(/<\/?([a-z0-9]+)/gi) ?? [];
  const ours =
    /^<\/?(h2|h3|p|b|br|sub|em|strong|code|pre|table|thead|tbody|tr|th|td|details|summary|blockquote|ul|li|a)$/;
  for (const tag of tags) expect(tag).toMatch(ours);
  for (const paired of ['details', 'summary', 'sub', 'b', 'code', 'table', 'a']) {
    const count = (found: string) => tags.filter((tag) => tag === found).length;
    expect(count(`<${paired}`), paired).toBe(count(`</${paired}`));
  }
  for (const table of markdown.split('\n\n').filter((block) => block.startsWith('| '))) {
    const columns = table.split('\n').map((line) => line.split('|').length);
    expect(new Set(columns).size, table).toBe(1);
  }
}

describe.each(Object.entries(fixtureReports))('the report "%s"', (_name, report) => {
  test.each([1_000_000, 65_536, 20_000, 5000, 2000, 1000])('is whole, valid and at most %i bytes', (limit) => {
    const markdown = renderMarkdown(report, { limit, reportUrl: 'https://example.test/run/1' });
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(limit);
    expect(markdown.startsWith('## ')).toBe(true);
    requireValid(markdown);
  });
});

test('the heading and the headline survive every limit that has room for them', () => {
  const markdown = renderMarkdown(hugeReport, { limit: 1500 });
  expect(markdown).toContain('## ❌ Sluice: failed · breast-cancer');
  expect(markdown).toContain('400 of 1,200 checks failed');
});

test('what does not fit is counted', () => {
  expect(renderMarkdown(hugeReport, { limit: 5000 })).toMatch(
    /\*\d+ more checks that did not pass: see the report\.\*/,
  );
});

test('stages give up passed checks first, then samples of rows, then checks', () => {
  const lengths = [1_000_000, 200_000, 65_536, 20_000].map((limit) => renderMarkdown(hugeReport, { limit }));
  const has = (text: string) => lengths.map((markdown) => markdown.includes(text));
  expect(has('<details><summary>800 passed')).toEqual([true, false, false, false]);
  expect(has('450 failing rows')).toEqual([true, true, false, false]);
  expect(has('column&#95;1197')).toEqual([true, true, false, false]);
});

test('no attack brings a mention, a link, an image, a comment or a tag', () => {
  const markdown = renderMarkdown(hostileReport);
  const html = marked.parse(markdown, { async: false });
  expect(html).not.toMatch(/<(script|img|a|iframe|svg|!--)/i);
  expect(markdown).not.toMatch(/@team|#123|<script|<img|<!--|https:\/\/evil|\u001b|\u202e/);
});

test('any text in any place keeps the tables whole', () => {
  const text = fc.string({
    unit: fc.constantFrom(...'|`<>&@#\\*_[]!\n\r-:$~ a1', '<!--', '@team', '| --- |', '</details>'),
    maxLength: 30,
  });
  fc.assert(
    fc.property(text, text, text, (title, message, value) => {
      const report = assembleReport({
        ...failedReport,
        name: message,
        checks: failedReport.checks.map((check, position) => ({
          ...check,
          id: `${position}${check.id}`,
          title,
          message,
          ...(check.failing === undefined
            ? {}
            : { failing: { total: 1, columns: [title], rows: [{ row: 1, values: [value] }] } }),
        })),
      });
      const markdown = renderMarkdown(report, { limit: 65_536 });
      requireValid(markdown);
      expect(markdown).not.toMatch(/@team|<!--/);
    }),
    { numRuns: 100 },
  );
});

test('at most 80 characters of a value are shown', () => {
  const report = assembleReport({
    ...failedReport,
    checks: [
      {
        ...failedReport.checks[2],
        id: 'x',
        title: 'x',
        section: 'data',
        status: 'fail',
        message: '',
        failing: { total: 1, columns: ['c'], rows: [{ row: 1, values: ['v'.repeat(300)] }] },
      },
    ],
  });
  expect(renderMarkdown(report)).toContain(`| 1 | ${'v'.repeat(79)}… |`);
});

test('links to the report only over http', () => {
  const with_ = (reportUrl: string) => renderMarkdown(passedReport, { reportUrl });
  expect(with_('https://example.test/a?b=1&c="><script>')).toContain(
    '<a href="https://example.test/a?b=1&#38;c=%22%3E%3Cscript%3E">Full report</a>',
  );
  expect(with_('javascript:alert(1)')).not.toContain('<a ');
  expect(with_('not a url')).not.toContain('<a ');
});

test('a limit too small to say anything is refused', () => {
  expect(() => renderMarkdown(passedReport, { limit: 999 })).toThrow(RangeError);
  expect(() => renderMarkdown(passedReport, { limit: Number.NaN })).toThrow(RangeError);
});
