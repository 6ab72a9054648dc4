/** Data files in a real S3 service, read as the checks read them. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openEngine, type Table } from '../core/data/index.ts';
import { createUser, objectStore, owner } from './model-fetch/object-store.ts';
import type { Peer } from './serving/peer.ts';

let store: Peer;
let directory: string;
/** More than one read of the line: 3 MB. */
let large: Buffer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-s3-data-'));
  store = await objectStore();
  await createUser('stranger', 'stranger-secret', store.url);
  await using engine = await openEngine();
  const path = join(directory, 'large.parquet');
  await engine.query(`COPY (SELECT i, random() AS r FROM range(300000) r(i)) TO '${path}' (FORMAT parquet)`);
  large = await readFile(path);
  const client = new S3Client({
    endpoint: store.url,
    region: 'eu-north-1',
    forcePathStyle: true,
    credentials: { accessKeyId: owner.access, secretAccessKey: owner.secret },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'data' }));
  const objects: Readonly<Record<string, Buffer | string>> = {
    'large.parquet': large,
    'year=2025/b.csv': 'a\n2\n',
    'year=2025/a.csv': 'a\n1\n',
    'year=2026/a.csv': 'a\n3\n',
    'year=2026/notes.txt': 'not data',
  };
  for (const [key, body] of Object.entries(objects)) {
    await client.send(new PutObjectCommand({ Bucket: 'data', Key: key, Body: body }));
  }
  client.destroy();
}, 300_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await store?.stop();
  await rm(directory, { recursive: true, force: true });
});

function act(access: string, secret: string): void {
  vi.stubEnv('AWS_ENDPOINT_URL_S3', store.url);
  vi.stubEnv('AWS_REGION', 'eu-north-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', access);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
}

async function open(name: string): Promise<Table & { readonly values: readonly unknown[] }> {
  await using engine = await openEngine();
  const table = await engine.open(name, { name });
  const values = await engine.query(`SELECT * EXCLUDE ("sluice row number") FROM ${table.sql} LIMIT 5`);
  return { ...table, values };
}

test('an object is read whole, with its digest', async () => {
  act(owner.access, owner.secret);
  expect(await open('s3://data/large.parquet')).toMatchObject({
    rows: 300_000,
    sha256: createHash('sha256').update(large).digest('hex'),
  });
});

test('objects of a pattern are one table in the order of their keys, with the partitions of their names', async () => {
  act(owner.access, owner.secret);
  const { values, files } = await open('s3://data/year=*/*.csv');
  expect(values).toEqual([
    { a: 1, year: 2025 },
    { a: 2, year: 2025 },
    { a: 3, year: 2026 },
  ]);
  expect(files?.map(({ file }) => file)).toEqual([
    's3://data/year=2025/a.csv',
    's3://data/year=2025/b.csv',
    's3://data/year=2026/a.csv',
  ]);
});

test.each([
  ['what is not there', 's3://data/none.csv', owner.access, owner.secret, 'does not exist'],
  ['a bucket that is not there', 's3://nowhere/none.csv', owner.access, owner.secret, 'does not exist'],
  ["another's object", 's3://data/large.parquet', 'stranger', 'stranger-secret', "may not be read with the job's"],
  ['a wrong secret', 's3://data/large.parquet', owner.access, 'wrong', "may not be read with the job's"],
])('%s is refused in words', async (_, name, access, secret, words) => {
  act(access, secret);
  await expect(open(name)).rejects.toThrow(words);
});
