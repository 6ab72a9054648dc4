import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-verify-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const object = 's3://acme-models/churn/model.onnx';

describe('sluice verify-bucket', () => {
  test.each<[string, readonly string[], string]>([
    ['what is no address', ['acme-models'], 'no address of S3'],
    ['a digest that is none', [object, '--sha256', '12'], '64 hexadecimal digits'],
    ['a lock of no object', ['s3://acme-models', '--locked'], 'names none'],
    ['a key that may be moved', [object, '--key', 'alias/models'], 'an alias may be moved'],
    ['a manifest that is not there', [object, '--manifest', 'none.json'], 'cannot be read'],
    ['a manifest without a digest', [object, '--manifest', 'empty.json'], 'says no digest'],
    ['two digests', [object, '--manifest', 'empty.json', '--sha256', 'a'.repeat(64)], 'Give one of them'],
  ])('refuses %s, and asks nothing', async (_what, argv, words) => {
    writeFileSync(join(directory, 'empty.json'), '{ "model": { "path": "model.onnx" } }');
    const { exitCode, stdout, stderr } = await record(directory, ['verify-bucket', ...argv], {
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
      AWS_REGION: 'eu-west-1',
    });
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
  });
});
