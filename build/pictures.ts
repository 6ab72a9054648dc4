/**
 * Draws the README's pictures from two reports, `node build/pictures.ts PASSED FAILED`: folders that `sluice gate --report` wrote
 * for a model that passes and one that fails. Needs Chromium (`CHROMIUM=/path/to/chromium`, default `/usr/bin/chromium`). The comment
 * is drawn with GitHub's own style sheet.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { marked } from 'marked';
import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '..');
const [passed = join(root, 'sluice-report'), failed = passed] = process.argv.slice(2);

const markdown = await readFile(join(failed, 'report.md'), 'utf8');
const style = await readFile(createRequire(import.meta.url).resolve('github-markdown-css/github-markdown.css'), 'utf8');
const commentPage = join(tmpdir(), `sluice-comment-${process.pid}.html`);
await writeFile(
  commentPage,
  `<!doctype html><meta charset="utf-8"><style>${style}
   .markdown-body { border: 1px solid #d1d9e0; border-radius: 6px; padding: 16px; margin: 16px; max-width: 860px }</style>
   <article class="markdown-body">${await marked.parse(markdown)}</article>`,
);

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const [light, dark] = ['light', 'dark'] as const;
const pictures = [
  { page: join(failed, 'report.html'), file: 'report-failed.png', colorScheme: light, width: 1200, height: 1500 },
  {
    page: join(passed, 'report.html'),
    file: 'report-figures.png',
    colorScheme: dark,
    width: 1200,
    height: 1500,
    at: '#figures',
  },
  { page: commentPage, file: 'comment.png', colorScheme: light, width: 920, height: 1150 },
];
for (const { page: path, file, colorScheme, width, height, at } of pictures) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(pathToFileURL(path).href);
  const top = at === undefined ? 0 : ((await page.locator(at).boundingBox())?.y ?? 0);
  const clip = { x: 0, y: top, width, height };
  await page.screenshot({ path: join(root, 'docs/images', file), fullPage: true, clip });
  await page.close();
}
await browser.close();
