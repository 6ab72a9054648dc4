import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from './config/parse-config.ts';
import { tellMistakes } from './tell-mistakes.ts';

afterEach(() => vi.restoreAllMocks());

function told(build: () => void): { readonly lines: readonly string[]; readonly exitCode: number | undefined } {
  const lines: string[] = [];
  let exitCode: number | undefined;
  vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exitCode = Number(code);
    throw new RangeError('ended');
  });
  try {
    tellMistakes(build);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { lines, exitCode };
}

describe('what is wrong with the file', () => {
  test('is told in its own words, without a stack, and ends the process with 1', () => {
    const { lines, exitCode } = told(() => void parseConfig('version: 1\nnaem: churn\n', 'infra.yaml'));
    expect(exitCode).toBe(1);
    expect(lines.join('\n')).toContain('infra.yaml:2:1 naem: unknown key "naem". Did you mean "name"?');
    expect(lines.join('\n')).not.toMatch(/\n\s+at /);
  });

  test('is no excuse for a mistake of the program', () => {
    expect(() =>
      tellMistakes(() => {
        throw new TypeError('a bug');
      }),
    ).toThrow('a bug');
  });

  test('is nothing where nothing is wrong', () => {
    expect(told(() => undefined)).toEqual({ lines: [], exitCode: undefined });
  });
});
