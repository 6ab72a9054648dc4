import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { signatureOf } from './api-stand-in.ts';
import { signedHeaders } from './signature.ts';

/**
 * AWS's published test suite of Signature Version 4 (aws4_testsuite, as botocore keeps it, Apache-2.0), without the requests that no caller of
 * ours can make: several headers of one name, values over several lines, paths with raw blanks or letters beyond ASCII.
 */
const vectors = JSON.parse(readFileSync(new URL('./signature-vectors.json', import.meta.url), 'utf8')) as readonly {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly authorization: string;
}[];

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const signed = (vector: (typeof vectors)[number]) => {
  const { host = '', 'x-amz-date': _, 'x-amz-security-token': sessionToken, ...headers } = vector.headers;
  return signedHeaders(
    { method: vector.method, url: new URL(`https://${host}${vector.path}`), headers, body: vector.body },
    {
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken },
      region: 'us-east-1',
      service: 'service',
      at: new Date('2015-08-30T12:36:00Z'),
      bodyDigest: false,
    },
  );
};

describe('Signature Version 4', () => {
  test('has the whole published suite but for what is left out', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(25);
  });

  test.each(vectors.map((vector) => [vector.name, vector] as const))('is AWS’s own for %s', async (_, vector) => {
    expect((await signed(vector))['authorization']).toBe(vector.authorization);
  });

  test('is checked by the stand-in as AWS would', async () => {
    const simple = vectors.filter(({ path, method }) => method === 'POST' && /^\/(\?Param1=value1)?$/.test(path));
    expect(simple.length).toBeGreaterThan(3);
    for (const { method, path, headers, body, authorization } of simple) {
      const asked = { method, url: path, headers: { ...headers, authorization } };
      expect(authorization).toMatch(new RegExp(`Signature=${signatureOf(asked, body, secretAccessKey)}$`));
      expect(authorization).not.toContain(signatureOf(asked, `${body}!`, secretAccessKey));
    }
  });

  test('sends the digest of the body and the session with it', async () => {
    const headers = await signedHeaders(
      { method: 'POST', url: new URL('https://example.amazonaws.com/'), body: '{}' },
      {
        credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken: 'session' },
        region: 'eu-west-1',
        service: 'aps',
        at: new Date('2026-01-02T03:04:05Z'),
      },
    );
    expect(headers).toMatchObject({
      'x-amz-date': '20260102T030405Z',
      'x-amz-security-token': 'session',
      'x-amz-content-sha256': '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    });
    expect(headers['authorization']).toContain('/20260102/eu-west-1/aps/aws4_request');
    expect(headers).not.toHaveProperty('host');
  });
});
