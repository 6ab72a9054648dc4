import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError, type Problem } from '../problem/index.ts';
import { openEngine, type Table } from './index.ts';

const objects = new Map<string, Buffer>([
  ['rows/2026/b.csv', Buffer.from('a,b\n3,z\n')],
  ['rows/2026/a.csv', Buffer.from('a,b\n1,x\n2,y\n')],
  ['rows/2026/_SUCCESS', Buffer.from('')],
  ['rows/packed.csv.gz', gzipSync('a\n1\n')],
  ['rows/ragged.csv', Buffer.from('a,b\n1,2\n3\n')],
  ['rows/large.csv', Buffer.from(`a\n${'1\n'.repeat(100_000)}`)],
]);

let server: Server;
const asked: string[] = [];

/** What Amazon's documentation says of GetObject and ListObjectsV2 in the path style, for one bucket. */
function answer(request: IncomingMessage, response: ServerResponse): unknown {
  const url = new URL(request.url ?? '/', 'http://localhost');
  asked.push(request.headers.authorization ?? '');
  const fail = (status: number, code: string) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  };
  const [, bucket, ...path] = url.pathname.split('/').map(decodeURIComponent);
  const key = path.join('/');
  if (bucket === 'secret') return fail(403, 'AccessDenied');
  if (bucket !== 'bucket') return fail(404, 'NoSuchBucket');
  if (url.searchParams.get('list-type') === '2') {
    const prefix = url.searchParams.get('prefix') ?? '';
    const keys = [...objects.keys()].filter((one) => one.startsWith(prefix)).sort();
    // A page at a time, as the service may.
    const from = Number(url.searchParams.get('continuation-token') ?? 0);
    const more = from + 1 < keys.length;
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${from + 1}</NextContinuationToken>` : ''}${keys
        .slice(from, from + 1)
        .map((one) => `<Contents><Key>${one}</Key></Contents>`)
        .join('')}</ListBucketResult>`,
    );
    return undefined;
  }
  const content = objects.get(key);
  if (content === undefined) return fail(404, 'NoSuchKey');
  response.writeHead(200, { 'content-length': content.length, etag: '"0"' });
  return response.end(content);
}

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  server.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function credentials(more: Readonly<Record<string, string>> = {}): void {
  const environment = {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-north-1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    ...more,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

async function open(name: string, bytes = 1_000_000): Promise<Table> {
  await using engine = await openEngine({ limits: { bytes, freelyUnpacked: bytes, ratio: 10 } });
  // As the checks do it: the path of a policy's source, made absolute, and the source as written.
  return await engine.open(`/repository/${name}`, { name, within: '/', place: { file: 'sluice.yaml', line: 3 } });
}

async function problemOf(name: string, bytes?: number): Promise<Problem> {
  const error = await open(name, bytes).catch((thrown: unknown) => thrown);
  if (!(error instanceof DataError)) throw error;
  return error.problems[0];
}

describe('an object of S3', () => {
  it('is read with the credentials of the job', async () => {
    credentials();
    expect(await open('s3://bucket/rows/2026/a.csv')).toMatchObject({ file: 's3://bucket/rows/2026/a.csv', rows: 2 });
    expect(asked.at(-1)).toMatch(/^AWS4-HMAC-SHA256 Credential=key\/\d+\/eu-north-1\/s3\//);
    expect((await open('s3://bucket/rows/packed.csv.gz')).rows).toBe(1);
  });

  it('may be one of many that a pattern matches, page by page', async () => {
    credentials();
    const table = await open('s3://bucket/rows/2026/*.csv');
    expect(table.files?.map(({ file, rows }) => [file, rows])).toEqual([
      ['s3://bucket/rows/2026/a.csv', 2],
      ['s3://bucket/rows/2026/b.csv', 1],
    ]);
  });

  it.each([
    ['is not there', 's3://bucket/rows/none.csv', 'missing-file'],
    ['is in no bucket', 's3://absent/rows.csv', 'missing-file'],
    ["is another's", 's3://secret/rows.csv', 'no-permission'],
    ['is matched by nothing', 's3://bucket/rows/*.parquet', 'missing-file'],
    ['is no table', 's3://bucket/rows/2026/_SUCCESS', 'unsupported-format'],
  ])('that %s is refused at the line of the policy', async (_, name, code) => {
    credentials();
    const problem = await problemOf(name);
    expect(problem).toMatchObject({ code, place: { file: 'sluice.yaml', line: 3 } });
    expect(problem.fix).toBeDefined();
  });

  it('that is damaged is named with the line', async () => {
    credentials();
    expect(await problemOf('s3://bucket/rows/ragged.csv')).toMatchObject({
      code: 'ragged-row',
      place: { file: 's3://bucket/rows/ragged.csv', line: 3 },
    });
  });

  it('that is larger than may be downloaded is not', async () => {
    credentials();
    expect(await problemOf('s3://bucket/rows/large.csv', 1000)).toMatchObject({ code: 'too-large' });
  });

  it('cannot be read without credentials', async () => {
    credentials({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
    expect(await problemOf('s3://bucket/rows/2026/a.csv')).toMatchObject({ code: 'no-credentials' });
  });
});
