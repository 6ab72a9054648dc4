import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseReader, UnreadableResponse, type WireResponse } from './response-reader.ts';

const limits = { maxBodyBytes: 1000, keepBodies: true };

function read(text: string, of: Partial<typeof limits> = {}): WireResponse | undefined {
  return new ResponseReader({ ...limits, ...of }).push(Buffer.from(text, 'latin1'));
}

function whyNot(text: string, of?: Partial<typeof limits>): string {
  try {
    read(text, of);
  } catch (error) {
    if (error instanceof UnreadableResponse) return error.code;
    throw error;
  }
  return 'read';
}

function text(response: WireResponse | undefined): string | undefined {
  return response && Buffer.from(response.body).toString('latin1');
}

const ok = 'HTTP/1.1 200 OK\r\n';

describe('an answer', () => {
  test('ends with its length', () => {
    const response = read(`${ok}Content-Length: 5\r\n\r\nhello`);
    expect(response).toMatchObject({ status: 200, reusable: true });
    expect(text(response)).toBe('hello');
  });

  test('ends with its last chunk, with extensions and trailers', () => {
    const response = read(
      `${ok}Transfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\nA \r\n, worlds!!\r\n0\r\nx: y\r\n\r\n`,
    );
    expect(text(response)).toBe('hello, worlds!!');
    expect(response?.reusable).toBe(true);
  });

  test('ends with the connection where it has neither', () => {
    const reader = new ResponseReader(limits);
    expect(reader.push(Buffer.from('HTTP/1.0 200 OK\r\n\r\nhel'))).toBeUndefined();
    expect(reader.push(Buffer.from('lo'))).toBeUndefined();
    const response = reader.end();
    expect(text(response)).toBe('hello');
    expect(response?.reusable).toBe(false);
  });

  test('is not whole when the connection ends too early', () => {
    const reader = new ResponseReader(limits);
    reader.push(Buffer.from(`${ok}Content-Length: 5\r\n\r\nhel`));
    expect(reader.end()).toBeUndefined();
  });

  test.each(['204 No Content', '304 Not Modified'])('of %s has no body', (status) => {
    expect(read(`HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n`)).toMatchObject({ reusable: true });
  });

  test('comes after interim answers', () => {
    const early = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
    expect(read(`${early}${ok}content-length: 0\r\n\r\n`)).toMatchObject({ status: 200 });
  });

  test.each([
    ['says so', `${ok}Connection: Close\r\nContent-Length: 0\r\n\r\n`, false],
    ['says so among others', `${ok}Connection: x, close\r\nContent-Length: 0\r\n\r\n`, false],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    [
      'is of HTTP/1.0 and says otherwise',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      true,
    ],
    ['is followed by what nobody asked for', `${ok}Content-Length: 0\r\n\r\nHTTP/1.1 200 OK`, false],
    ['has a length beside its chunks', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, false],
  ])('that %s leaves the connection usable or not', (_, bytes, reusable) => {
    expect(read(bytes)?.reusable).toBe(reusable);
  });

  test('of 2xx is not kept where nobody looks at it; the start of a refusal is', () => {
    expect(text(read(`${ok}Content-Length: 5\r\n\r\nhello`, { keepBodies: false }))).toBe('');
    const refusal = `HTTP/1.1 503 Busy\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`;
    expect(text(read(refusal, { keepBodies: false, maxBodyBytes: 9999 }))).toBe('x'.repeat(4096));
  });

  test.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', 'not-http'],
    ['\x00\x00\x12\x04\x00\x00\x00\x00\x00', 'not-http'],
    ['HTTP/2 200\r\n\r\n', 'not-http'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'not-http'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'not-http'],
    [`${ok}no colon\r\n\r\n`, 'not-http'],
    [`${ok}a: b\r\n folded\r\n\r\n`, 'not-http'],
    [`${ok}Content-Length: -1\r\n\r\n`, 'not-http'],
    [`${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 'not-http'],
    [`${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 'not-http'],
    [`${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n`, 'not-http'],
    [`${ok}a: ${'b'.repeat(70_000)}`, 'not-http'],
    [`${ok}Content-Length: 1001\r\n\r\n`, 'answer-too-big'],
    [`${ok}Transfer-Encoding: chunked\r\n\r\n3e9\r\n`, 'answer-too-big'],
    [`${ok}\r\n${'x'.repeat(1001)}`, 'answer-too-big'],
  ])('that cannot be read is an error: %#', (bytes, code) => {
    expect(whyNot(bytes)).toBe(code);
  });

  test('is the same in whatever pieces it comes, and the next one after it', () => {
    const chunks = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ status: fc.constantFrom(200, 201, 404, 503), parts: chunks, chunked: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (answers, sizes) => {
          const reader = new ResponseReader(limits);
          for (const { status, parts, chunked } of answers) {
            const whole = parts.join('');
            const body = chunked
              ? `Transfer-Encoding: chunked\r\n\r\n${[...parts, ''].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}`
              : `Content-Length: ${whole.length}\r\n\r\n${whole}`;
            let rest = Buffer.from(`HTTP/1.1 ${status} X\r\nServer: y\r\n${body}`, 'latin1');
            let response: WireResponse | undefined;
            while (rest.length > 0) {
              expect(response).toBeUndefined();
              const size = sizes.next().value;
              response = reader.push(rest.subarray(0, size));
              rest = rest.subarray(size);
            }
            expect(response).toMatchObject({ status, reusable: true });
            expect(text(response)).toBe(whole);
          }
        },
      ),
    );
  });

  test('never makes the reader fail otherwise than it says, whatever the bytes', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom(ok, '\r\n', '\r\n\r\n', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', '2\r\nab\r\n'),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (all) => {
        const reader = new ResponseReader(limits);
        try {
          for (const piece of all) reader.push(Buffer.from(piece, 'latin1'));
          reader.end();
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableResponse);
        }
      }),
    );
  });
});
