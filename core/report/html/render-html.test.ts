import { describe, expect, test } from 'vitest';
import { assembleReport } from '../assemble-report.ts';
import type { Figure } from '../figure.ts';
import { failedReport, fixtureReports, hostileReport, hugeReport, passedReport } from '../fixture-reports.ts';
import { renderHtml } from './render-html.ts';

const tagsOf = (page: string) => [...page.matchAll(/<([a-zA-Z!][\w-]*)/g)].map(([, tag]) => tag ?? '');

describe.each(Object.entries(fixtureReports))('the page of "%s"', (_name, report) => {
  const page = renderHtml(report);

  test('runs and loads nothing', () => {
    expect(page.slice(0, 400)).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
    const active = ['script', 'img', 'iframe', 'object', 'link', 'base', 'form', 'foreignObject', 'image', 'use'];
    expect(tagsOf(page).filter((tag) => active.includes(tag))).toEqual([]);
    const attributes = [...page.matchAll(/<[a-zA-Z](?:"[^"]*"|[^>"])*>/g)].flatMap(([tag]) =>
      [...tag.replaceAll(/"[^"]*"/g, '').matchAll(/\s([\w:-]+)(?==)/g)].map(([, name]) => name),
    );
    expect(
      attributes.filter((name) => /^(src.*|on.*|xlink:href|action|formaction|ping|data)$/i.test(name ?? '')),
    ).toEqual([]);
    expect([...page.matchAll(/href="([^"]*)"/g)].filter(([, target]) => !target?.startsWith('#'))).toEqual([]);
    expect(/url\(|@import/.test(page)).toBe(false);
  });

  test('closes what it opens', () => {
    const open: string[] = [];
    const empty = new Set(['meta', 'line', 'path', 'rect', 'circle', 'br', '!doctype']);
    for (const [, slash, tag = '', rest = ''] of page.matchAll(/<(\/?)([a-zA-Z!][\w-]*)((?:"[^"]*"|[^>"])*)>/g)) {
      if (slash === '/') {
        if (!empty.has(tag)) expect(open.pop()).toBe(tag);
      } else if (!rest.endsWith('/') && !empty.has(tag)) open.push(tag);
    }
    expect(open).toEqual([]);
  });

  test('is the same every time', () => {
    expect(renderHtml(report) === page).toBe(true);
  });

  test('has no id twice, and every link has its target', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
  });

  test('names every drawing for those who do not see it', () => {
    for (const [svg] of page.matchAll(/<svg class="interval[^>]*>/g))
      expect(svg).toMatch(/role="img" aria-label="[^"]+"/);
    for (const [figure] of page.matchAll(/<figure.*?<\/figure>/gs))
      expect(figure).toMatch(/role="img" aria-label="[^"]+"/);
  });
});

test('an attack is text and nothing else, in plots too', () => {
  const page = renderHtml(hostileReport);
  expect(page).not.toMatch(/<script|<img|<\/svg><script|onerror=alert\(1\)>|\u001b|\u202e/i);
  expect(page).toContain('&#60;script&#62;alert(1)');
});

test('shows the check that failed with its rows, the policy changes and every figure', () => {
  const page = renderHtml(failedReport);
  expect(page).toContain('312 failing rows');
  expect(page).toContain('gates.latency.p95_ms');
  expect(page.match(/<figure /g)?.length).toBe(failedReport.figures.length);
});

test('ten thousand checks still make a page one can open', () => {
  const checks = Array.from({ length: 10_000 }, (_, id) => ({
    ...passedReport.checks[0],
    ...hugeReport.checks[id % 2],
    id: String(id),
  }));
  const page = renderHtml(assembleReport({ ...passedReport, checks: checks as typeof passedReport.checks }));
  expect(page.length).toBeLessThan(8_000_000);
  expect(page).toContain('more checks passed; report.json lists them.');
  expect(page).toContain('more checks that did not pass are in the tables below.');
});

test('figures without points or of one point are drawn all the same', () => {
  const figures: readonly Figure[] = [
    { kind: 'roc', id: '1', title: 't', curves: [] },
    { kind: 'precision_recall', id: '2', title: 't', curves: [{ name: 'candidate', x: [], y: [], summary: 0 }] },
    { kind: 'calibration', id: '3', title: 't', curves: [{ name: 'candidate', x: [0.5], y: [0.5], summary: 0 }] },
    { kind: 'confusion', id: '4', title: 't', labels: [], counts: [] },
    {
      kind: 'confusion',
      id: '5',
      title: 't',
      labels: Array.from({ length: 20 }, (_, i) => `class ${i}`),
      counts: Array.from({ length: 20 }, () => Array.from({ length: 20 }, () => 1)),
    },
    { kind: 'intervals', id: '6', title: 't', metric: 'm', rows: [] },
    {
      kind: 'intervals',
      id: '7',
      title: 't',
      metric: 'm',
      rows: [{ name: 'a', n: 1, estimate: 1, lower: 1, upper: 1 }],
    },
    { kind: 'latency', id: '8', title: 't', series: [] },
    { kind: 'latency', id: '9', title: 't', series: [{ name: 'candidate', ms: [0.1, 50] }] },
    { kind: 'residuals', id: '10', title: 't', series: [] },
    { kind: 'histogram', id: '11', title: 't', series: [] },
    { kind: 'histogram', id: '12', title: 't', series: [{ name: 'a', edges: [0], counts: [] }] },
  ];
  const page = renderHtml(assembleReport({ ...passedReport, figures }));
  expect(page.match(/<figure /g)?.length).toBe(figures.length);
  expect(page).not.toMatch(/NaN|Infinity/);
});

test('a curve with several points at one x stays inside its frame', () => {
  const curve = { name: 'candidate', x: [0, 0, 0.5, 0.5, 1], y: [0, 0.4, 0.6, 0.9, 1], summary: 0.8 } as const;
  const page = renderHtml(
    assembleReport({ ...passedReport, figures: [{ kind: 'roc', id: 'r', title: 'r', curves: [curve] }] }),
  );
  const area = /aria-label="area".*?<path d="([^"]*)"/s.exec(page)?.[1] ?? '';
  const heights = [...area.matchAll(/[ML,][\d.]+,(-?[\d.]+)/g)].map(([, y]) => Number(y));
  expect(heights.length).toBeGreaterThan(4);
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(20);
});
