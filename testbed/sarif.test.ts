import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sarifErrors } from './linters/sarif-multitool.ts';

const goldens = join(import.meta.dirname, '..', 'core', 'report', 'golden');
const scratch = mkdtempSync(join(tmpdir(), 'sluice-sarif-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('report.sarif, by the validator of those who wrote the format', () => {
  test('keeps to the schema, the specification and what code scanning takes', async () => {
    const files = readdirSync(goldens).filter((name) => name.endsWith('.sarif'));
    expect(files.length).toBeGreaterThan(5);
    const paths = files.map((name) => join(goldens, name));
    expect(await sarifErrors(paths, scratch)).toEqual([]);
  });

  test('is found to be wrong where it is: the schema, and what code scanning takes', async () => {
    const golden = readFileSync(join(goldens, 'failed.sarif'), 'utf8');
    const [strange, helpless] = ['strange.sarif', 'helpless.sarif'].map((name) => join(scratch, name));
    if (strange === undefined || helpless === undefined) throw new RangeError('two files');
    writeFileSync(strange, golden.replaceAll('"ruleIndex": 0', '"ruleIndex": "first"'));
    writeFileSync(helpless, golden.replaceAll('"help": {', '"properties": {'));
    const errors = await sarifErrors([strange, helpless], scratch);
    expect(errors.some((error) => error.startsWith('strange.sarif error JSON1001'))).toBe(true);
    expect(errors.some((error) => error.startsWith('helpless.sarif error GH2012'))).toBe(true);
  });
});
