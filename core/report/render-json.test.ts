import { expect, test } from 'vitest';
import { assembleReport } from './assemble-report.ts';
import { failedReport, passedReport } from './fixture-reports.ts';
import { renderJson } from './render-json.ts';

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, content]) => [key, reversed(content)]),
  );
}

test('the order of keys does not depend on how the objects were built', () => {
  expect(renderJson(reversed(failedReport) as typeof failedReport)).toBe(renderJson(failedReport));
});

test('begins with what matters most and ends with a newline', () => {
  const json = renderJson(passedReport);
  expect(Object.keys(JSON.parse(json)).slice(0, 5)).toEqual(['schema', 'tool', 'name', 'verdict', 'headline']);
  expect(json.endsWith('}\n')).toBe(true);
});

test('an assembled report loses nothing', () => {
  expect(JSON.parse(renderJson(failedReport))).toEqual(JSON.parse(JSON.stringify(assembleReport(failedReport))));
});
