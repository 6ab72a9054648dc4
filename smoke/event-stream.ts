import { createParser } from 'eventsource-parser';
import type { HttpChunk } from '../core/http/index.ts';
import { PeerError } from '../core/problem/index.ts';

/** A piece of an answer that comes bit by bit. */
export interface StreamPart {
  /** What came, as text: an event's data, a line. */
  readonly text: string;
  /** When the bytes that completed it came, as `HttpChunk`'s. */
  readonly milliseconds: number;
}

/** The data of server-sent events (WHATWG HTML, section 9.2), wherever the chunks are cut. Names, ids and comments are left out. */
export async function* serverSentEvents(chunks: AsyncIterable<HttpChunk>): AsyncGenerator<StreamPart, void, undefined> {
  const ready: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => ready.push(data) });
  const decoder = new TextDecoder();
  for await (const { bytes, milliseconds } of chunks) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    for (const text of ready.splice(0)) yield { text, milliseconds };
  }
}

/** The lines of a stream, empty ones left out; the last one needs no line break. */
export async function* linesOf(chunks: AsyncIterable<HttpChunk>): AsyncGenerator<StreamPart, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let last = 0;
  for await (const { bytes, milliseconds } of chunks) {
    last = milliseconds;
    const [first = '', ...more] = decoder.decode(bytes, { stream: true }).split('\n');
    const pieces = [rest + first, ...more];
    rest = pieces.pop() ?? '';
    for (const text of pieces) if (text.trim() !== '') yield { text, milliseconds };
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield { text: rest, milliseconds: last };
}

/** The problem of a stream that stopped before it said that it was at its end. `found`: how far it got. */
export function endedEarly(found: string): PeerError {
  return new PeerError({
    code: 'stream-ended-early',
    message: 'the answer stopped coming before its end',
    found,
    fix: "Look into the server's log; a proxy between that ends long answers does this, too (raise its read timeout).",
  });
}

/** The problem of a server that begins to answer and then says that it cannot. `found` is printable. */
export function failedInStream(found: string): PeerError {
  return new PeerError({
    code: 'stream-failed',
    message: 'the server gave up in the midst of its answer',
    found,
    fix: "Look into the server's log: memory for long answers (KV cache) and timeouts are the usual causes.",
  });
}
