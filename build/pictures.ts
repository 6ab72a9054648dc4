/**
 * Draws the README's pictures from a real run: `npm run build && npm run demo && node build/pictures.ts`. Needs Chromium
 * (`CHROMIUM=/path/to/chromium`, default `/usr/bin/chromium`). The comment is drawn with GitHub's own style sheet.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { marked } from 'marked';
import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '..');
const [reportDirectory = join(root, 'sluice-report'), commentDirectory = reportDirectory] = process.argv.slice(2);

const markdown = await readFile(join(commentDirectory, 'report.md'), 'utf8');
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
const pictures = [
  { page: join(reportDirectory, 'report.html'), file: 'report-light.png', dark: false, width: 1200, height: 1500 },
  { page: join(reportDirectory, 'report.html'), file: 'report-dark.png', dark: true, width: 1200, height: 1500 },
  { page: commentPage, file: 'comment.png', dark: false, width: 920, height: undefined },
];
for (const { page: path, file, dark, width, height } of pictures) {
  const page = await browser.newPage({
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width, height: height ?? 400 },
  });
  await page.goto(pathToFileURL(path).href);
  await page.screenshot({ path: join(root, 'docs/images', file), fullPage: height === undefined });
  await page.close();
}
await browser.close();
