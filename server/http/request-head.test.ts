import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequestHead } from './request-head.ts';

const head = (lines: readonly string[], path = '/v2/models/churn/infer') =>
  [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 12', ...lines].join('\r\n');

describe('the plainest form of an inference request', () => {
  test('is read', () => {
    expect(parseRequestHead(head(['Content-Type: application/json', 'X-Anything: at all']))).toEqual({
      model: 'churn',
      version: undefined,
      contentLength: 12,
      jsonLength: undefined,
      authorization: undefined,
      close: false,
    });
  });

  test('may name a version, a token, the length of its JSON and the end of the connection', () => {
    const lines = ['authorization:Bearer abc', 'INFERENCE-HEADER-CONTENT-LENGTH: 5', 'Connection: Close'];
    expect(parseRequestHead(head(lines, '/v2/models/churn/versions/3/infer'))).toEqual({
      model: 'churn',
      version: '3',
      contentLength: 12,
      jsonLength: '5',
      authorization: 'Bearer abc',
      close: true,
    });
  });
});

describe('any other form is left to the general server', () => {
  test.each([
    ['chunks', 'Transfer-Encoding: chunked'],
    ['chunks in disguise', 'Transfer-Encoding : chunked'],
    ['a second length', 'Content-Length: 13'],
    ['the same length twice', 'Content-Length: 12'],
    ['a compressed body', 'Content-Encoding: gzip'],
    ['an expectation', 'Expect: 100-continue'],
    ['an upgrade', 'Upgrade: websocket'],
    ['a connection option', 'Connection: upgrade'],
    ['a second host', 'Host: elsewhere'],
    ['a folded line', ' folded'],
    ['a bare line feed', 'X-A: 1\nTransfer-Encoding: chunked'],
    ['a bare carriage return', 'X-A: 1\rTransfer-Encoding: chunked'],
    ['a NUL', 'X-A: \0'],
    ['bytes beyond ASCII', 'X-A: \xe9'],
    ['a line that is no header', 'nonsense'],
    ['an empty line', ''],
  ])('%s', (_, line) => {
    expect(parseRequestHead(head([line]))).toBeUndefined();
  });

  test.each([
    '/v2/models/a%2Fb/infer',
    '/v2/models/churn/infer?x=1',
    '/v2/models//infer',
    '/v2/models/churn/ready',
    'http://host/v2/models/churn/infer',
  ])('the path %s', (path) => {
    expect(parseRequestHead(head([], path))).toBeUndefined();
  });

  test.each(['+12', '-1', '0x10', '12,12', '1e3', '', '9999999999999999'])('the length %j', (length) => {
    expect(
      parseRequestHead(`POST /v2/models/churn/infer HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}`),
    ).toBeUndefined();
  });

  test('without host or without length, or in another version of HTTP', () => {
    expect(parseRequestHead('POST /v2/models/churn/infer HTTP/1.1\r\nContent-Length: 1')).toBeUndefined();
    expect(parseRequestHead('POST /v2/models/churn/infer HTTP/1.1\r\nHost: a')).toBeUndefined();
    expect(parseRequestHead('POST /v2/models/churn/infer HTTP/1.0\r\nHost: a\r\nContent-Length: 1')).toBeUndefined();
  });
});

test('whatever the bytes, a head is read or left, and what is read has a length that is a whole number', () => {
  const line = fc.oneof(
    fc.constantFrom('Host: a', 'Content-Length: 3', 'Connection: close', 'Transfer-Encoding: chunked', 'X:y'),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      const found = parseRequestHead(['POST /v2/models/m/infer HTTP/1.1', ...lines].join('\r\n'));
      if (found !== undefined) {
        expect(lines.filter((each) => /^content-length:/i.test(each))).toHaveLength(1);
        expect(Number.isSafeInteger(found.contentLength)).toBe(true);
        expect(lines.some((each) => /[\r\n\0]/.test(each) || /^transfer-encoding/i.test(each))).toBe(false);
      }
    }),
  );
});
