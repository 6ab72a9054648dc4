import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureReports } from './fixture-reports.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit/render-junit.ts';
import { renderMarkdown } from './markdown/render-markdown.ts';
import { renderJson } from './render-json.ts';
import type { Report } from './report.ts';
import { renderSarif } from './sarif/render-sarif.ts';
import { renderTerminal } from './terminal/render-terminal.ts';

// `UPDATE_GOLDEN=1 npx vitest run core/report/golden` writes them anew; read the difference before committing it.
const directory = join(import.meta.dirname, 'golden');

const renderers: Readonly<Record<string, (report: Report) => string | Promise<string>>> = {
  txt: (report) => renderTerminal(report),
  md: (report) => renderMarkdown(report, { limit: 65_000, reportUrl: 'https://example.test/report' }),
  html: renderHtml,
  xml: renderJunit,
  json: renderJson,
  sarif: renderSarif,
};

// The long one matters for Markdown and the terminal only; its other files would be megabytes of one row repeated.
const formats = (name: string) => (name === 'huge' ? ['txt', 'md'] : Object.keys(renderers));

describe.each(Object.entries(fixtureReports))('%s', (name, report) => {
  test.each(formats(name))('is rendered as in its golden .%s', async (format) => {
    // As a file holds it: a lone surrogate is no character.
    const rendered = Buffer.from((await renderers[format]?.(report)) ?? '').toString();
    const file = join(directory, `${name}.${format}`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      await mkdir(directory, { recursive: true });
      await writeFile(file, rendered);
    }
    expect(rendered).toBe(await readFile(file, 'utf8'));
  });
});
