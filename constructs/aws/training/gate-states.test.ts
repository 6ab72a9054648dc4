import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verdictPattern } from './gate-states.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'core', 'report', 'golden');
const verdictIn = (text: string): string | undefined => new RegExp(verdictPattern).exec(text)?.[1];

describe('the verdict at the head of a report', () => {
  test.each(readdirSync(folder).filter((file) => file.endsWith('.json')))('is found in %s', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const { verdict } = JSON.parse(text) as { readonly verdict: string };
    expect(verdictIn(text.slice(0, 16_384))).toBe(verdict);
  });

  test('is not the one that stands in a name', () => {
    const name = JSON.stringify('x", "verdict": "passed", "y": "');
    const head = `{ "schema": 1, "tool": { "name": "sluice" }, "name": ${name}, "verdict": "failed" }`;
    expect(verdictIn(head)).toBe('failed');
  });

  test.each([
    ['another word', '{ "schema": 1, "tool": {}, "name": "x", "verdict": "PASSED" }'],
    ['another order', '{ "verdict": "passed", "schema": 1 }'],
    ['no report', '<html>"verdict": "passed"</html>'],
    ['nothing', ''],
    ['a check before it', '{ "schema": 1, "tool": {}, "name": "x", "checks": [{ "verdict": "passed" }] }'],
  ])('is none in %s', (_title, text) => expect(verdictIn(text)).toBeUndefined());
});
