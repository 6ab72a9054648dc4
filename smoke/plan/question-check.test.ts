import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentHost } from '../../core/host/index.ts';
import type { SmokeQuestion } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import type { Answer, TextAnswer } from '../protocol.ts';
import { prepareQuestions } from './question.ts';
import { questionChecks } from './question-check.ts';
import { answered, stubText } from './stub-protocol.ts';

const prepare = async (question: SmokeQuestion, directory = '.') => {
  const [prepared] = await prepareQuestions([question], directory, (_, key) => ({ key }));
  if (prepared === undefined) throw new Error('no question');
  return prepared;
};

const judge = async (
  question: Omit<SmokeQuestion, 'ask'>,
  answers: readonly Answer<TextAnswer>[] | string,
  level: number | 'off' = 0.9,
) => {
  const given = typeof answers === 'string' ? [answered({ text: answers })] : answers;
  const checks = await questionChecks(stubText(given), await prepare({ ask: 'x', ...question }), {
    level,
    host: silentHost,
  });
  return Object.fromEntries(checks.map(({ id, status }) => [id.replace(/^smoke\/question\/[^/]+\//, ''), status]));
};

describe('what is in an answer', () => {
  test.each<[Omit<SmokeQuestion, 'ask'>, string, string, 'pass' | 'fail']>([
    [{ contains: ['Paris'] }, 'It is PARIS.', 'contains', 'pass'],
    [{ contains: ['Paris', 'Rome'] }, 'It is Paris.', 'contains', 'fail'],
    [{ regex: '\\b\\d{4}\\b' }, 'In 1789, of course', 'regex', 'pass'],
    [{ regex: '^\\d{4}$' }, 'In 1789', 'regex', 'fail'],
    [{ json_schema: { type: 'object', required: ['city'] } }, '{"city":"Tokyo"}', 'json_schema', 'pass'],
    [{ json_schema: { type: 'object', required: ['city'] } }, '{"town":"Tokyo"}', 'json_schema', 'fail'],
    [{ json_schema: { type: 'object' } }, '```json\n{}\n```', 'json_schema', 'fail'],
    [{ json_schema: { type: 'string', pattern: '^a+$' } }, '"aaab"', 'json_schema', 'fail'],
    [{ refuses: true }, "I'm sorry, but I can’t help with that.", 'refuses', 'pass'],
    [{ refuses: true }, 'Sure! First you take', 'refuses', 'fail'],
  ])('%j of “%s”: %s is %s', async (question, text, key, status) => {
    expect(await judge(question, text)).toEqual({ answered: 'pass', [key]: status });
  });

  test('sources are counted, or searched', async () => {
    const answer = [answered({ text: 'x', sources: ['handbook.pdf#3', 'faq.md'] })];
    expect(await judge({ sources: 2 }, answer)).toMatchObject({ sources: 'pass' });
    expect(await judge({ sources: 3 }, answer)).toMatchObject({ sources: 'fail' });
    expect(await judge({ sources: ['Handbook'] }, answer)).toMatchObject({ sources: 'pass' });
    expect(await judge({ sources: ['wiki'] }, answer)).toMatchObject({ sources: 'fail' });
    expect(await judge({ sources: 1 }, 'no sources at all')).toMatchObject({ sources: 'fail' });
  });

  test('a guard in front of the model declines too; an outage does not', async () => {
    expect(await judge({ refuses: true }, [{ status: 400, milliseconds: 1, refusal: 'content policy' }])).toEqual({
      answered: 'pass',
      refuses: 'pass',
    });
    expect(await judge({ refuses: true }, [{ status: 503, milliseconds: 1 }])).toEqual({
      answered: 'fail',
      refuses: 'skipped',
    });
    const filtered = [answered({ text: '', finishReason: 'content_filter' })];
    expect(await judge({ refuses: true }, filtered)).toMatchObject({ refuses: 'pass' });
  });

  test('every sample is judged, and one that is wrong fails', async () => {
    const answers = [answered({ text: 'Paris' }), answered({ text: 'Rome' }), answered({ text: 'Paris' })];
    expect(await judge({ contains: ['paris'], samples: 3 }, answers)).toMatchObject({ contains: 'fail' });
    expect(await judge({ contains: ['paris'], samples: 1 }, answers)).toMatchObject({ contains: 'pass' });
  });

  test('with severity warn a wrong answer only warns', async () => {
    expect(await judge({ contains: ['x'], severity: 'warn' }, 'y')).toMatchObject({ contains: 'warn' });
  });
});

describe('budgets', () => {
  const streamed = (ms: number, speed: number) =>
    answered({ text: 'x', timeToFirstTokenMs: ms, tokensPerSecond: speed });

  test.each<[Omit<SmokeQuestion, 'ask'>, string]>([
    [{ time_to_first_token_ms: 500 }, 'pass'],
    [{ time_to_first_token_ms: 100 }, 'fail'],
    [{ tokens_per_second: 20 }, 'pass'],
    [{ tokens_per_second: 60 }, 'fail'],
  ])('%j: %s', async (budget, status) => {
    const [key = ''] = Object.keys(budget);
    expect(await judge(budget, [streamed(200, 40)])).toMatchObject({ [key]: status });
  });

  test('a median that the bound cuts through is not settled', async () => {
    const answers = Array.from({ length: 11 }, (_, index) => streamed(100 * (index + 1), 40));
    expect(await judge({ time_to_first_token_ms: 600 }, answers)).toMatchObject({
      time_to_first_token_ms: 'inconclusive',
    });
    expect(await judge({ time_to_first_token_ms: 600 }, answers, 'off')).toMatchObject({
      time_to_first_token_ms: 'pass',
    });
  });

  test('is not claimed from few samples, nor from answers that were not streamed', async () => {
    expect(await judge({ tokens_per_second: 1, samples: 3 }, [streamed(1, 40)])).toMatchObject({
      tokens_per_second: 'inconclusive',
    });
    expect(await judge({ tokens_per_second: 1 }, 'x')).toMatchObject({ tokens_per_second: 'inconclusive' });
  });
});

describe('patterns and schemas that cannot be used are told before anything is asked', () => {
  test.each<[string, Omit<SmokeQuestion, 'ask'>, string]>([
    ['a look-behind', { regex: '(?<=a)b' }, 'bad-pattern'],
    ['a schema of a wrong type', { json_schema: { type: 'strin' } }, 'bad-json-schema'],
    ['a pattern in a schema that RE2 has not', { json_schema: { pattern: '(a)\\1' } }, 'bad-json-schema'],
    ['a reference elsewhere', { json_schema: { $ref: 'https://example.test/schema' } }, 'bad-json-schema'],
    ['a schema file that is not there', { json_schema: 'gone.json' }, 'missing-file'],
  ])('%s', async (_what, question, code) => {
    const error = await prepare({ ask: 'x', ...question }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ problems: [{ code, fix: expect.any(String) }] });
  });

  test('a schema may stand in a file beside the policy', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-question-'));
    try {
      await writeFile(join(directory, 'city.json'), '{"type":"object","required":["city"]}');
      const { schema } = await prepare({ ask: 'x', json_schema: 'city.json' }, directory);
      expect(schema?.('{"city":1}')).toBeUndefined();
      expect(schema?.('{}')).toBe("the answer must have required property 'city'");
      expect(schema?.('no')).toBe('it is not JSON');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test('a pattern that would take for ever elsewhere takes no time here', async () => {
    const evil = `${'a'.repeat(5000)}!`;
    expect(await judge({ regex: '^(a+)+$' }, evil)).toMatchObject({ regex: 'fail' });
    expect(await judge({ json_schema: { pattern: '^(a|aa)+$' } }, JSON.stringify(evil))).toMatchObject({
      json_schema: 'fail',
    });
  });
});
