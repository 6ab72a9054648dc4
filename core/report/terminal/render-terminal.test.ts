import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { failedReport, fixtureReports, hostileReport, hugeReport, inconclusiveReport } from '../fixture-reports.ts';
import { widthOf } from './cell.ts';
import { renderTerminal } from './render-terminal.ts';

describe.each(Object.entries(fixtureReports))('the report "%s"', (_name, report) => {
  test.each([40, 60, 80, 100, 160])('no line is wider than %i columns', (width) => {
    for (const line of renderTerminal(report, { width }).split('\n'))
      expect(widthOf(line), line).toBeLessThanOrEqual(width);
  });

  test('without colour there is no control character but the line feed', () => {
    expect(renderTerminal(report)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  test('colour changes nothing but colour', () => {
    const coloured = renderTerminal(report, { colour: true }).replace(/[ \t]+$/gm, '');
    expect(stripVTControlCharacters(coloured).replace(/[ \t]+$/gm, '')).toBe(renderTerminal(report));
  });
});

test('every colour sequence is our own: an attack brings none', () => {
  const sequences = renderTerminal(hostileReport, { colour: true }).match(/\u001b[^m]*m/g) ?? [];
  expect(sequences.length).toBeGreaterThan(0);
  for (const sequence of sequences) expect(sequence).toMatch(/^\u001b\[\d+m$/);
});

test('a broken check is told with its failing rows and the policy line', () => {
  const text = renderTerminal(failedReport);
  expect(text).toContain('fail: 312 of 4,500 rows have no value; at most 5 % may.');
  expect(text).toMatch(/│ {2}17 {2}null {2}12\.5/);
  expect(text).toContain('307 more rows like these');
  expect(text).toContain('sluice.yaml:12:5');
});

test('an interval is drawn against its bound, an open end as an arrow', () => {
  expect(renderTerminal(inconclusiveReport)).toMatch(/●─+╂─+►/);
});

test('ends with the verdict and what to do next', () => {
  const text = renderTerminal(failedReport);
  const end = text.slice(text.lastIndexOf('━'));
  expect(end).toContain('✖ FAILED');
  expect(end).toContain('About 340 more rows like these would settle');
});

test('a report of a thousand checks stays readable: the rest is counted', () => {
  const lines = renderTerminal(hugeReport).split('\n');
  expect(lines.length).toBeLessThan(1200);
  expect(lines.some((line) => line.includes('740 more checks passed'))).toBe(true);
});
