import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ingestFiles } from './ingest-program.ts';

interface Kept {
  readonly text: string;
  readonly embedding: readonly number[];
  readonly metadata: { readonly source?: string; readonly ingest?: string };
}

/** Embedding server and vector store as one: it keeps what it is given, as Chroma does. */
let servers: Server;
let at: string;
let kept: Map<string, Kept>;
let embedded: string[];
let writes: string[];
/** Statuses that the next requests to a path get instead of an answer. */
let refusals: Record<string, number[]>;
let program: string;
let folder: string;

const vectorOf = (part: string): readonly number[] => [part.length, part.charCodeAt(0)];

interface Sent {
  readonly input?: readonly string[];
  readonly ids?: readonly string[];
  readonly documents?: readonly string[];
  readonly embeddings?: readonly (readonly number[])[];
  readonly metadatas?: readonly Kept['metadata'][];
  readonly where?: { readonly ingest: string };
  readonly limit?: number;
  readonly offset?: number;
}

function answerTo(what: string, sent: Sent): unknown {
  switch (what) {
    case 'embeddings': {
      embedded.push(...(sent.input ?? []));
      // Out of order, as a server may.
      return { data: (sent.input ?? []).map((each, index) => ({ index, embedding: vectorOf(each) })).toReversed() };
    }
    case 'collections':
      return { id: 'c-1' };
    case 'get': {
      const found = [...kept]
        .filter(([, { metadata }]) => metadata.ingest === sent.where?.ingest)
        .slice(sent.offset, (sent.offset ?? 0) + (sent.limit ?? 0));
      return { ids: found.map(([id]) => id), metadatas: found.map(([, { metadata }]) => metadata) };
    }
    case 'upsert': {
      writes.push('upsert');
      for (const [index, id] of (sent.ids ?? []).entries()) {
        kept.set(id, {
          text: sent.documents?.[index] ?? '',
          embedding: sent.embeddings?.[index] ?? [],
          metadata: sent.metadatas?.[index] ?? {},
        });
      }
      return {};
    }
    case 'delete': {
      writes.push('delete');
      for (const id of sent.ids ?? []) kept.delete(id);
      return {};
    }
    default:
      throw new Error(`nobody asks for ${what}`);
  }
}

beforeAll(async () => {
  servers = createServer(async (request, response) => {
    const what = request.url?.split('/').at(-1) ?? '';
    const sent = (await json(request)) as Sent;
    const refused = refusals[what]?.shift() ?? 200;
    if (refused !== 200) return void response.writeHead(refused).end('my secret text');
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answerTo(what, sent)));
  }).listen(0, '127.0.0.1');
  await once(servers, 'listening');
  at = `http://127.0.0.1:${(servers.address() as AddressInfo).port}`;
  program = await mkdtemp(join(tmpdir(), 'sluice-ingest-'));
  for (const [name, content] of Object.entries(ingestFiles)) await writeFile(join(program, name), content);
});

afterAll(async () => {
  servers.closeAllConnections();
  servers.close();
  await rm(program, { recursive: true });
});

beforeEach(async () => {
  [kept, embedded, writes, refusals] = [new Map(), [], [], {}];
  folder = await mkdtemp(join(tmpdir(), 'sluice-documents-'));
  await put('leave.md', 'Leave is 30 days.\n\nAsk early.');
  await put('rooms/coffee.txt', 'Coffee is free.');
  return () => rm(folder, { recursive: true });
});

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function ingest(
  change: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly said: Readonly<Record<string, unknown>>; readonly output: string }> {
  const running = spawn(process.execPath, [join(program, 'ingest-documents.mjs')], {
    env: {
      DOCUMENTS: folder,
      EXTENSIONS: '.md,.txt',
      INGEST_NAME: 'handbook',
      EMBEDDING_URL: `${at}/embedding`,
      EMBEDDING_MODEL: 'words',
      STORE_URL: `${at}/store`,
      COLLECTION: 'handbook',
      PART_SIZE: '20',
      OVERLAP: '0',
      MAX_BYTES: '1000',
      BATCH: '2',
      TIMEOUT_MS: '5000',
      RETRY_MS: '1',
      ...change,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, problems, [code]] = await Promise.all([
    text(running.stdout),
    text(running.stderr),
    once(running, 'exit') as Promise<[number]>,
  ]);
  const lines = `${output}${problems}`.trim().split('\n');
  return { code, said: JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>, output: lines.join('\n') };
}

const texts = (): readonly string[] => [...kept.values()].map((each) => each.text).toSorted();

describe('the program that keeps a collection as its documents are', () => {
  test('stores every part with its own embedding and the document it is from', async () => {
    const { code, said } = await ingest();
    expect({ code, said }).toMatchObject({
      code: 0,
      said: { documents: 2, parts: 3, added: 3, removed: 0, unread: 0 },
    });
    expect([...kept.values()].toSorted((one, other) => (one.text < other.text ? -1 : 1))).toEqual([
      { text: 'Ask early.', embedding: vectorOf('Ask early.'), metadata: { source: 'leave.md', ingest: 'handbook' } },
      {
        text: 'Coffee is free.',
        embedding: vectorOf('Coffee is free.'),
        metadata: { source: 'rooms/coffee.txt', ingest: 'handbook' },
      },
      {
        text: 'Leave is 30 days.',
        embedding: vectorOf('Leave is 30 days.'),
        metadata: { source: 'leave.md', ingest: 'handbook' },
      },
    ]);
  });

  test('asks for nothing and changes nothing when the documents are the same', async () => {
    await ingest();
    [embedded, writes] = [[], []];
    expect((await ingest()).said).toMatchObject({ added: 0, removed: 0 });
    expect([embedded, writes]).toEqual([[], []]);
  });

  test('embeds what is new in a document and takes out what is no longer in it', async () => {
    await ingest();
    embedded = [];
    await put('leave.md', 'Leave is 28 days.\n\nAsk early.');
    expect((await ingest()).said).toMatchObject({ added: 1, removed: 1 });
    expect(embedded).toEqual(['Leave is 28 days.']);
    expect(texts()).toEqual(['Ask early.', 'Coffee is free.', 'Leave is 28 days.']);
  });

  test('takes out the parts of a document that is gone, and nothing that others stored', async () => {
    await ingest();
    kept.set('by hand', { text: 'Tea is free.', embedding: [1], metadata: {} });
    kept.set('other', { text: 'Parking.', embedding: [1], metadata: { source: 'parking.md', ingest: 'garage' } });
    await rm(join(folder, 'leave.md'));
    await ingest();
    expect(texts()).toEqual(['Coffee is free.', 'Parking.', 'Tea is free.']);
  });

  test('keeps a text that a document has twice, and one that two documents have', async () => {
    await put('again.md', 'Coffee is free.\n\nCoffee is free.');
    await ingest();
    expect(texts().filter((each) => each === 'Coffee is free.')).toHaveLength(3);
  });

  test('stores everything anew for another embedding model', async () => {
    await ingest();
    expect((await ingest({ EMBEDDING_MODEL: 'sentences' })).said).toMatchObject({ added: 3, removed: 3 });
    expect(texts()).toHaveLength(3);
  });

  test('is taken up where it broke, and takes nothing out before everything new is in', async () => {
    await ingest();
    await put('leave.md', 'One is new.\n\nTwo are new.\n\nThree are new.');
    // The second batch fails for good.
    refusals = { embeddings: [200, 500, 500, 500, 500] };
    const { code, said } = await ingest();
    expect([code, said['message']]).toEqual([1, 'The embedding server answered 500.']);
    expect(texts()).toContain('Leave is 30 days.');
    [embedded, refusals] = [[], {}];
    expect((await ingest()).code).toBe(0);
    expect(embedded).toEqual(['Three are new.']);
    expect(texts()).toEqual(['Coffee is free.', 'One is new.', 'Three are new.', 'Two are new.']);
  });

  test('waits for a server that is busy, and not for one that refuses', async () => {
    refusals = { embeddings: [503, 429], upsert: [400] };
    const { code, said, output } = await ingest();
    expect([code, said['message']]).toEqual([3, 'The vector store answered 400.']);
    expect(embedded).toHaveLength(2);
    expect(output).not.toContain('secret');
  });

  test('does not empty the collection when there are no documents', async () => {
    await ingest();
    await rm(join(folder, 'leave.md'));
    await rm(join(folder, 'rooms'), { recursive: true });
    const { code, said } = await ingest();
    expect([code, said['message']]).toEqual([3, 'There are no documents (.md, .txt), so nothing was changed.']);
    expect((await ingest({ DOCUMENTS: join(folder, 'none') })).code).toBe(3);
    expect(texts()).toHaveLength(3);
  });

  test('leaves what it cannot read as it was, does the rest, and says so', async () => {
    await ingest();
    await put('leave.md', 'x'.repeat(1001));
    await put('rooms/coffee.txt', Uint8Array.of(0x43, 0xff, 0xfe));
    await put('tea.md', 'Tea is free.');
    const { code, said } = await ingest();
    expect([code, said['message']]).toEqual([
      3,
      'Larger than 1000 bytes or no UTF-8, and left as they were: leave.md, rooms/coffee.txt.',
    ]);
    expect(texts()).toEqual(['Ask early.', 'Coffee is free.', 'Leave is 30 days.', 'Tea is free.']);
  });

  test('reads no hidden files, no other endings, and nothing outside of its folder', async () => {
    await put('.git/config.txt', 'Hidden.');
    await put('picture.png', 'A picture.');
    await mkdir(join(folder, '..release'));
    await put('..release/new.md', 'Linked.');
    await symlink(join('..release', 'new.md'), join(folder, 'current.md'));
    await writeFile(join(program, 'outside.txt'), 'Outside.');
    await symlink(join(program, 'outside.txt'), join(folder, 'outside.txt'));
    await symlink('.', join(folder, 'circle'));
    await ingest();
    expect(texts()).toEqual(['Ask early.', 'Coffee is free.', 'Leave is 30 days.', 'Linked.']);
  });

  test('reads thousands of stored parts page by page', async () => {
    await put('long.md', Array.from({ length: 1100 }, (_, line) => `Line ${line}.`).join('\n\n'));
    const many = { MAX_BYTES: '100000', PART_SIZE: '12', BATCH: '200' };
    await ingest(many);
    [embedded, writes] = [[], []];
    expect((await ingest(many)).said).toMatchObject({ added: 0, removed: 0 });
    expect([embedded, writes]).toEqual([[], []]);
    expect(await readFile(join(folder, 'long.md'), 'utf8')).toContain('Line 1099.');
  });

  test('logs no text', async () => {
    const { output } = await ingest();
    expect(output).not.toContain('Coffee');
  });
});
