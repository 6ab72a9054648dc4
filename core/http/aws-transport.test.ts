import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetBucketAclCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { AwsTransport, awsTransport } from './aws-transport.ts';
import { ProxyStandIn } from './proxy-stand-in.ts';

const settings = { region: 'eu-north-1', credentials: { accessKeyId: 'job', secretAccessKey: 'secret' } };
const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

function client(more: object): S3Client {
  const made = new S3Client({ ...settings, ...more });
  open.push(made);
  return made;
}

describe("a transport of AWS's SDK", () => {
  test('is there only where a proxy is named', () => {
    expect(awsTransport({ environment: {} })).toBeUndefined();
    expect(awsTransport({ environment: { HTTPS_PROXY: '' } })).toBeUndefined();
    expect(awsTransport({ environment: { https_proxy: 'http://proxy:3128' } })).toBeInstanceOf(AwsTransport);
  });

  test('goes through the proxy to the host that the SDK chose, and gives its answers as the SDK reads them', async () => {
    await using proxy = await ProxyStandIn.start(['*.s3.eu-north-1.amazonaws.com'], ({ url, headers }, response) =>
      url?.startsWith('/none.csv') === true
        ? response.writeHead(404).end('<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>')
        : response.writeHead(200, { 'x-amz-version-id': 'v1' }).end(`${headers.host}${url}`),
    );
    const s3 = client({
      requestHandler: awsTransport({ environment: { HTTPS_PROXY: proxy.url }, ca: proxy.ca }),
    });
    const { Body, VersionId } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'rows.csv' }));
    expect([await Body?.transformToString(), VersionId]).toEqual([
      'data.s3.eu-north-1.amazonaws.com/rows.csv?x-id=GetObject',
      'v1',
    ]);
    await expect(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'none.csv' }))).rejects.toThrow('no such key');
    expect(new Set(proxy.asked)).toEqual(new Set(['data.s3.eu-north-1.amazonaws.com:443']));
  });

  test('sends no request whose body is still being made, instead of an empty one', async () => {
    const transport = new AwsTransport({ environment: {} });
    const request = { protocol: 'http:', hostname: '127.0.0.1', method: 'PUT', path: '/', headers: {} };
    await expect(transport.handle({ ...request, body: new ReadableStream() })).rejects.toThrow('a text or bytes');
  });

  test('leaves the proxy out for what NO_PROXY names', async () => {
    await using proxy = await ProxyStandIn.start(['s3.invalid'], (_, response) => response.end());
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: 's3.invalid' };
    const requestHandler = awsTransport({ environment, ca: proxy.ca });
    const s3 = client({ requestHandler, endpoint: 'https://s3.invalid', forcePathStyle: true, maxAttempts: 1 });
    await expect(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'rows.csv' }))).rejects.toThrow('s3.invalid');
    expect(proxy.asked).toEqual([]);
  });

  test.each([
    ['plain', new GetObjectCommand({ Bucket: 'data', Key: 'rows.csv' })],
    [
      'odd characters',
      new GetObjectCommand({ Bucket: 'data', Key: "year=2026/a b+c'(1)!*~%41é.csv", VersionId: 'a+/=' }),
    ],
    ['dots', new GetObjectCommand({ Bucket: 'data', Key: 'a/../b/./c//d.csv' })],
    ['a query', new ListObjectsV2Command({ Bucket: 'data', Prefix: "it's (1)/ü&x=", ContinuationToken: '1+2/=' })],
    ['a query without values', new GetBucketAclCommand({ Bucket: 'data' })],
  ])("sends the request line of the SDK's own transport: %s", async (_, command) => {
    const seen: (string | undefined)[] = [];
    const server = createServer(({ method, url }: IncomingMessage, response) => {
      seen.push(`${method} ${url}`);
      response.writeHead(403).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ destroy: () => void server.close() });
    const more = {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      forcePathStyle: true,
      maxAttempts: 1,
    };
    for (const requestHandler of [undefined, new AwsTransport()]) {
      const s3 = client({ ...more, ...(requestHandler === undefined ? {} : { requestHandler }) });
      await s3.send(command as GetObjectCommand).catch(() => undefined);
    }
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBe(seen[0]);
  });

  test('is asked again by the SDK when a connection ends without an answer', async () => {
    let times = 0;
    await using proxy = await ProxyStandIn.start(['*.s3.eu-north-1.amazonaws.com'], (request, response) => {
      if (++times === 1) request.socket.destroy();
      else response.end('whole');
    });
    const s3 = client({
      requestHandler: awsTransport({ environment: { HTTPS_PROXY: proxy.url }, ca: proxy.ca }),
    });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'rows.csv' }));
    expect([await Body?.transformToString(), times]).toEqual(['whole', 2]);
  });
});
