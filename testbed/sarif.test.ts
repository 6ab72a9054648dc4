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

  test('is found to be wrong where it is: by the schema, and by what code scanning takes', async () => {
    const golden = readFileSync(join(goldens, 'failed.sarif'), 'utf8');
    const nameless = written('nameless.sarif', golden.replace('"name": "Sluice",', ''));
    const helpless = written('helpless.sarif', golden.replaceAll('"help": {', '"properties": {'));
    const errors = await sarifErrors([nameless, helpless], scratch);
    expect(errors.some((error) => error.startsWith('nameless.sarif error JSON1002'))).toBe(true);
    expect(errors.some((error) => error.startsWith('helpless.sarif error GH2012'))).toBe(true);
  });

  test('is not taken for right where the validator could not read it', async () => {
    const golden = readFileSync(join(goldens, 'failed.sarif'), 'utf8');
    const strange = written('strange.sarif', golden.replace('"ruleIndex": 0', '"ruleIndex": "first"'));
    await expect(sarifErrors([strange], scratch)).rejects.toThrow('could not read strange.sarif');
  });
});

function written(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}
