import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpChunk } from '../core/http/index.ts';
import { linesOf, type StreamPart, serverSentEvents } from './event-stream.ts';

/** The bytes in chunks of the given sizes, a millisecond apart. */
async function* chunks(text: string, sizes: readonly number[]): AsyncGenerator<HttpChunk> {
  let rest = Buffer.from(text);
  for (let index = 0; rest.length > 0; index++) {
    const size = sizes[index % sizes.length] ?? rest.length;
    yield { bytes: rest.subarray(0, size), milliseconds: index + 1 };
    rest = rest.subarray(size);
  }
}

async function all(parts: AsyncIterable<StreamPart>): Promise<readonly StreamPart[]> {
  const found: StreamPart[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

const texts = fc.array(
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
    .filter((text) => !/[\r\n\ufeff]/.test(text) && text.trim() !== ''),
  { maxLength: 6 },
);
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('server-sent events', () => {
  test('are the same wherever the chunks are cut, with any kind of line break', async () => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, fc.constantFrom('\n', '\r\n', '\r'), async (data, sizes, end) => {
        const stream = data.map((text) => `: comment${end}event: x${end}data: ${text}${end}${end}`).join('');
        const found = await all(serverSentEvents(chunks(`${stream}: end${end}`, sizes)));
        expect(found.map(({ text }) => text)).toEqual(data);
      }),
    );
  });

  test('carry the time of the chunk that completed them', async () => {
    const found = await all(serverSentEvents(chunks('data: a\n\ndata: b\n\n', [4, 5, 5, 4])));
    expect(found).toEqual([
      { text: 'a', milliseconds: 2 },
      { text: 'b', milliseconds: 4 },
    ]);
  });

  test('may have data of several lines, and one that never ends is none', async () => {
    const found = await all(serverSentEvents(chunks('data: a\ndata:b\n\ndata: c', [100])));
    expect(found.map(({ text }) => text)).toEqual(['a\nb']);
  });
});

describe('lines', () => {
  test('are the same wherever the chunks are cut; empty ones are none, and the last one needs no break', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        cuts,
        fc.constantFrom('\n', '\r\n', '\n\n'),
        fc.boolean(),
        async (data, sizes, end, ended) => {
          const stream = data.join(end) + (ended ? end : '');
          const found = await all(linesOf(chunks(stream, sizes)));
          expect(found.map(({ text }) => text.replace(/\r$/, ''))).toEqual(data);
        },
      ),
    );
  });

  test('carry the time of the chunk that completed them', async () => {
    const found = await all(linesOf(chunks('a\nb\nc', [1, 2, 2])));
    expect(found).toEqual([
      { text: 'a', milliseconds: 2 },
      { text: 'b', milliseconds: 3 },
      { text: 'c', milliseconds: 3 },
    ]);
  });
});
