import { describe, expect, test } from 'vitest';
import { hiding } from '../core/http/index.ts';
import { PeerError } from '../core/problem/index.ts';
import { jsonOf, refusalText } from './json-exchange.ts';

const token = 'tok-1f2e3d4c5b6a';
const hide = hiding({ url: new URL('http://a'), headers: { authorization: `Bearer ${token}` } });

function refused(body: string | Uint8Array, status = 400): string {
  return refusalText({ status, body: Buffer.from(body) }, hide);
}

describe('what a server says of a refusal', () => {
  test.each([
    ['KServe', '{"error":"Model with name x does not exist."}', 'Model with name x does not exist.'],
    ['MLflow', '{"error_code": "BAD_REQUEST", "message": "bad", "stack_trace": "Traceback"}', 'bad'],
    [
      'TorchServe',
      '{\n  "code": 404,\n  "type": "ModelNotFoundException",\n  "message": "Model not found: x"\n}',
      'Model not found: x',
    ],
    ['OpenAI', '{"error":{"message":"no such model","type":"invalid_request_error"}}', 'no such model'],
    ['FastAPI', '{"detail":[{"loc":["body"],"msg":"field required"}]}', '[{"loc":["body"],"msg":"field required"}]'],
    ['SageMaker', '{"Message":"Received client error","OriginalMessage":"bad row"}', 'bad row'],
    ['plain text', 'Internal Server Error\n', 'Internal Server Error'],
    ['a bare string', '"no"', 'no'],
    ['other JSON', '{"oops":1}', '{"oops":1}'],
    ['nothing', '', 'HTTP 400'],
  ])('is found in the form of %s', (_, body, text) => {
    expect(refused(body)).toBe(text);
  });

  test('is on one line, cut, without controls and without the secrets it repeats', () => {
    const text = refused(JSON.stringify({ error: `\u001b[31m::error::bad token ${token}\n${'x'.repeat(500)}` }));
    expect(text).toMatch(/^\\u\{1b\}\[31m::error::bad token \*\*\*\\u\{a\}x+…$/);
    expect(Array.from(text).length).toBe(200);
    expect(refused(Uint8Array.of(0xff, 0xfe))).toBe('\ufffd\ufffd');
  });
});

test('an answer that is no JSON is told with its beginning and its type', () => {
  const answer = { status: 200, body: Buffer.from(`<html>login ${token}`), headers: { 'content-type': 'text/html' } };
  try {
    jsonOf(answer, hide);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(PeerError);
    expect((error as PeerError).problems[0]).toMatchObject({
      code: 'broken-answer',
      found: '<html>login ***',
      expected: 'JSON; its content type is text/html',
    });
  }
});
