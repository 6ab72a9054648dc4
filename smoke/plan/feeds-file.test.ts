import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TensorSpec } from '../../core/onnx/index.ts';
import { DataError } from '../../core/problem/index.ts';
import { casesOfFile } from './feeds-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-feeds-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const inputs: readonly TensorSpec[] = [
  { name: 'X', type: 'float32', shape: ['?', 2] },
  { name: 'n', type: 'int64', shape: [1] },
];
const read = async (text: string) => {
  const file = join(directory, 'feeds.json');
  await writeFile(file, text);
  return casesOfFile(file, 'feeds.json', inputs, { file: 'sluice.yaml' });
};

describe('golden inputs of a JSON file', () => {
  test('are nested as their shape is, or flat beside it', async () => {
    const { cases, origin } = await read(
      '[{ "X": [[1.5, 2], [3, 4]], "n": [7] }, { "X": { "shape": [1, 2], "data": [5, 6] }, "n": [8] }]',
    );
    expect(cases).toEqual([
      {
        row: 1,
        feeds: {
          X: { type: 'float32', dims: [2, 2], data: Float32Array.of(1.5, 2, 3, 4) },
          n: { type: 'int64', dims: [1], data: BigInt64Array.of(7n) },
        },
      },
      {
        row: 2,
        feeds: {
          X: { type: 'float32', dims: [1, 2], data: Float32Array.of(5, 6) },
          n: { type: 'int64', dims: [1], data: BigInt64Array.of(8n) },
        },
      },
    ]);
    expect(origin).toBe('the 2 inputs of feeds.json');
  });

  test.each([
    ['no JSON', '[NaN]', 'not-json'],
    ['no list', '{}', 'not-feeds'],
    ['an empty list', '[]', 'not-feeds'],
    ['a missing input', '[{ "X": [[1, 2]] }]', 'bad-feed'],
    ['an input nobody has', '[{ "X": [[1, 2]], "n": [1], "m": [1] }]', 'unknown-input'],
    ['another width', '[{ "X": [[1, 2, 3]], "n": [1] }]', 'bad-feed'],
    ['rows of different lengths', '[{ "X": [[1, 2], [3]], "n": [1] }]', 'bad-feed'],
    ['text for a number', '[{ "X": [["a", 2]], "n": [1] }]', 'bad-feed'],
    ['a fraction for an integer', '[{ "X": [[1, 2]], "n": [1.5] }]', 'bad-feed'],
    ['a shape that its data does not fill', '[{ "X": { "shape": [2, 2], "data": [1] }, "n": [1] }]', 'bad-feed'],
    ['an entry that is no mapping', '[1]', 'bad-feed'],
  ])('refuses %s', async (_what, text, code) => {
    const error = await read(text).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).problems[0]).toMatchObject({ code, fix: expect.any(String) });
  });

  test('refuses a file that is not there', async () => {
    await expect(casesOfFile(join(directory, 'gone.json'), 'gone.json', inputs, {})).rejects.toThrow(
      'cannot be opened',
    );
  });
});
