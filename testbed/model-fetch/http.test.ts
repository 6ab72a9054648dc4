/** Models from web servers, by the real curl in the rendered init container. */
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelFile } from '../../constructs/kubernetes/index.ts';
import type { Ended, InitContainers } from './container.ts';
import { content, type FetchingPods, fetchingPods, onnxPod, served, servedFiles, sha256 } from './fetching-pod.ts';
import { breaking, type WebServer, webServer, whole } from './web-server.ts';

const model = content(3_000_000);
const digest = sha256(model);

let pods: FetchingPods;
let plain: WebServer;
let secure: WebServer;

beforeAll(async () => {
  pods = await fetchingPods('http');
  plain = await webServer();
  secure = await webServer(pods.keys.server);
}, 600_000);

afterAll(async () => {
  await plain?.[Symbol.asyncDispose]();
  await secure?.[Symbol.asyncDispose]();
  pods?.[Symbol.dispose]();
});

/** Everything a fetch did: how it ended, and what is served then. */
async function fetched(
  file: ModelFile,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & { readonly files: Readonly<Record<string, string>>; readonly pod: InitContainers }> {
  const pod = await pods.start(onnxPod(file), { env, secrets: { models: { token: 'model-token' } } });
  try {
    return { ...(await pod.runAll()), files: servedFiles(pod), pod };
  } finally {
    pod[Symbol.dispose]();
  }
}

const asksOf = (server: WebServer, path: string) => server.asked.filter(({ url }) => url === path);

describe('a model from a web server', () => {
  test('is served when it is the one that was released, and nothing else is in the folder', async () => {
    plain.answer('/m.onnx', whole(model));
    const { code, log, files } = await fetched({ uri: `${plain.url}/m.onnx`, sha256: digest });
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
    expect(log).toContain(`${served}: ${digest}`);
  });

  test('is asked for with the token over TLS, also where it is moved to on the same server, and never elsewhere', async () => {
    secure.answer('/old.onnx', (response) => response.writeHead(302, { location: '/new.onnx' }).end());
    secure.answer('/new.onnx', (response) => response.writeHead(307, { location: `${other.url}/blob` }).end());
    const other = await webServer(pods.keys.server);
    other.answer('/blob', whole(model));
    const { code, files } = await fetched({
      uri: `${secure.url}/old.onnx`,
      sha256: digest,
      token: { name: 'models', key: 'token' },
    });
    await other[Symbol.asyncDispose]();
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
    expect(secure.asked.map(({ authorization }) => authorization)).toEqual([
      'Bearer model-token',
      'Bearer model-token',
    ]);
    expect(other.asked).toMatchObject([{ url: '/blob', authorization: undefined }]);
  });

  test('is not fetched in clear text when it was asked for over TLS', async () => {
    secure.answer('/downgraded', (response) => response.writeHead(302, { location: `${plain.url}/m.onnx` }).end());
    const before = plain.asked.length;
    const { code, message, files } = await fetched({ uri: `${secure.url}/downgraded`, sha256: digest });
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message).toContain('"http" ');
    expect(plain.asked).toHaveLength(before);
  });

  test('is not fetched from a server whose certificate nobody vouches for', async () => {
    const stranger = await generate([{ name: 'commonName', value: 'localhost' }]);
    const impostor = await webServer({ key: stranger.private, certificate: stranger.cert });
    impostor.answer('/m.onnx', whole(model));
    const { code, message } = await fetched({ uri: `${impostor.url}/m.onnx`, sha256: digest });
    await impostor[Symbol.asyncDispose]();
    expect(code).toBe(1);
    expect(message).toMatch(
      /certificate[^\n]*\n.*could not be fetched from https:\/\/localhost:\d+\/m\.onnx: curl ended with code 60\.$/s,
    );
  });

  test('that is not there is said at once, without what is secret in its address', async () => {
    const uri = `${plain.url}/gone.onnx?signature=very-secret`;
    const { code, message, files } = await fetched({ uri, sha256: digest });
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message.split('\n').at(-1)).toBe(`${served} could not be fetched from ${plain.url}/gone.onnx: HTTP 404.`);
    expect(message).not.toContain('very-secret');
    expect(asksOf(plain, '/gone.onnx?signature=very-secret')).toHaveLength(1);
  });

  test.each([500, 503, 429])('is asked for again when the server answers %i', async (status) => {
    plain.answer(`/busy-${status}`, (response, request, nth) =>
      nth < 2
        ? response.writeHead(status, { 'retry-after': '3600' }).end('later')
        : whole(model)(response, request, nth),
    );
    const { code, files } = await fetched({ uri: `${plain.url}/busy-${status}`, sha256: digest });
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
    expect(asksOf(plain, `/busy-${status}`)).toHaveLength(3);
  });

  test('is given up after so many tries', async () => {
    plain.answer('/down', (response) => response.writeHead(502).end());
    const { code, message } = await fetched({ uri: `${plain.url}/down`, sha256: digest }, { TRIES: '3' });
    expect(code).toBe(1);
    expect(message.split('\n').at(-1)).toMatch(/\/down: curl ended with code 22, HTTP 502, 3 times\.$/);
    expect(asksOf(plain, '/down')).toHaveLength(3);
  });

  test('is waited for so long and no longer when the server says nothing, or stops in the middle', async () => {
    plain.answer('/silent', () => undefined);
    plain.answer('/stuck', (response) => {
      response.writeHead(200, { 'content-length': model.length });
      response.write(model.subarray(0, 1000));
    });
    for (const path of ['/silent', '/stuck']) {
      const { code, message, files } = await fetched(
        { uri: `${plain.url}${path}`, sha256: digest },
        { TRIES: '2', PATIENCE: '1' },
      );
      expect({ code, files }).toEqual({ code: 1, files: {} });
      expect(message.split('\n').at(-1)).toMatch(/: curl ended with code 28, HTTP \d+, 2 times\.$/);
    }
  });

  test('goes on where the line broke', async () => {
    plain.answer('/breaks', breaking(model, 2, { ranges: true }));
    const { code, files } = await fetched({ uri: `${plain.url}/breaks`, sha256: digest });
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
    const froms = asksOf(plain, '/breaks').map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(froms).toHaveLength(3);
    expect(froms[0]).toBe(0);
    expect(froms[1]).toBeGreaterThan(0);
    expect(froms[2]).toBeGreaterThan(froms[1] ?? 0);
  });

  test('starts anew when the line broke and the server cannot go on', async () => {
    plain.answer('/no-ranges', breaking(model, 1, { ranges: false }));
    const { code, files } = await fetched({ uri: `${plain.url}/no-ranges`, sha256: digest });
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
  });

  test('is whole when the line broke after its last byte', async () => {
    plain.answer('/unended', (response, request, nth) => {
      if (nth === 0) response.writeHead(200).write(model, () => response.destroy());
      else if (request.headers.range === undefined) whole(model)(response, request, nth);
      else response.writeHead(416, { 'content-range': `bytes */${model.length}` }).end('nothing is left');
    });
    const { code, files } = await fetched({ uri: `${plain.url}/unended`, sha256: digest });
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
  });

  test('that ends early without anybody noticing is not served', async () => {
    plain.answer('/short', ({ socket }) => {
      socket?.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      socket?.end(model.subarray(0, 2_000_000));
    });
    const { code, message, files } = await fetched({ uri: `${plain.url}/short`, sha256: digest });
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message).toContain(`its SHA-256 is ${sha256(model.subarray(0, 2_000_000))}, expected ${digest}.`);
  });

  test('that is larger than the volume is not even begun', async () => {
    plain.answer('/huge', (response) => {
      response.writeHead(200, { 'content-length': 2 ** 40 });
      response.write(model);
    });
    const { code, message, files } = await fetched({ uri: `${plain.url}/huge`, sha256: digest });
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message.split('\n').at(-1)).toMatch(/\/huge: it is larger than the volume for it, 67108864 bytes\.$/);
  });

  test.each([
    'model%20with%20spaces.onnx',
    "it's%22quoted%22.onnx",
    '-rf',
    '--output',
    '..%2f..%2fetc%2fpasswd',
    '[1-3].onnx',
    '{a,b}.onnx',
    '$(touch%20x)`id`;$$(HOME).onnx',
    '%24%28HOME%29',
    'm%0aodel',
  ])('called %s is fetched as it is called and served in its own place', async (name) => {
    const path = `/${name}`;
    plain.answer(path, whole(model));
    const { code, message, files } = await fetched({ uri: `${plain.url}${path}`, sha256: digest });
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: digest } });
  });
});
