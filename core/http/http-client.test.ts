import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { InputError, PeerError, type Problem, SluiceError } from '../problem/index.ts';
import { type HttpClient, type HttpOptions, type HttpRequest, openHttp } from './http-client.ts';
import type { HttpTarget } from './http-target.ts';

const secret = 'tok-1f2e3d4c5b6a';
const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
  return (server.address() as AddressInfo).port;
}

async function serve(listener: RequestListener): Promise<URL> {
  return new URL(`http://127.0.0.1:${await listen(createServer(listener))}`);
}

function client(url: URL | string, target: Partial<HttpTarget> = {}, options?: HttpOptions): HttpClient {
  const http = openHttp(
    { url: new URL(url), headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...target },
    options,
  );
  open.push({ close: () => http[Symbol.asyncDispose]() });
  return http;
}

/** A promise and what fulfils it; Promise.withResolvers came after Node 20. */
function bell(): { readonly rung: Promise<void>; readonly ring: () => void } {
  let ring = (): void => {};
  const rung = new Promise<void>((resolve) => {
    ring = resolve;
  });
  return { rung, ring };
}

const get: HttpRequest = { method: 'GET', path: '/' };

async function problemOf(
  work: Promise<unknown> | (() => unknown),
  kind: typeof SluiceError = PeerError,
): Promise<Problem> {
  const thrown: unknown = await Promise.resolve(typeof work === 'function' ? Promise.resolve().then(work) : work).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(kind);
  if (!(thrown instanceof SluiceError)) throw thrown;
  expect(thrown.problems).toHaveLength(1);
  expect(thrown.problems[0].fix).toMatch(/^[A-Zg].+[.:`]/);
  expect(JSON.stringify([thrown.message, thrown.stack, thrown.problems, String(thrown.cause)])).not.toContain(secret);
  return thrown.problems[0];
}

describe('a request', () => {
  test('goes below the path of the URL, with its query, its user and the headers given', async () => {
    const seen: IncomingMessage[] = [];
    const url = await serve((request, response) => {
      seen.push(request);
      response.end();
    });
    url.pathname = '/models/a/';
    url.search = '?api-version=2';
    url.username = 'jo';
    url.password = 'p%40ss';
    await client(url, { headers: { 'X-Tenant': 'blue' } }).request({ method: 'GET', path: '/v1?full=1' });
    expect(seen[0]?.url).toBe('/models/a/v1?full=1&api-version=2');
    expect(seen[0]?.headers).toMatchObject({ 'x-tenant': 'blue', authorization: `Basic ${btoa('jo:p@ss')}` });
  });

  test('is answered with status, headers and bytes, whatever the status', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request
        .on('data', (part) => (body += part))
        .on('end', () => response.writeHead(503, { 'X-Say': ['a', 'b'] }).end(body));
    });
    const answer = await client(url).request({ method: 'POST', path: '/', body: '{"ä":1}' });
    expect(answer.status).toBe(503);
    expect(answer.headers['x-say']).toBe('a, b');
    expect(Buffer.from(answer.body).toString()).toBe('{"ä":1}');
    expect(answer.milliseconds).toBeGreaterThan(0);
  });

  test("prefers the target's headers to the protocol's own", async () => {
    const http = client('http://127.0.0.1:1', { headers: { 'content-type': 'application/vnd.own+json' } });
    const wire = http.wire({ ...get, headers: { 'Content-Type': 'application/json', Accept: '*/*' } });
    expect(wire.headers).toEqual({ 'content-type': 'application/vnd.own+json', accept: '*/*' });
  });

  test('is a plain request again after an earlier one failed', async () => {
    let calls = 0;
    const url = await serve((request, response) => (calls++ === 0 ? request.socket.destroy() : response.end('up')));
    const http = client(url);
    expect((await problemOf(http.request(get))).code).toBe('connection-lost');
    expect((await http.request(get)).status).toBe(200);
  });
});

describe('a stream', () => {
  test('gives each chunk with the time it came, even to a reader that comes late', async () => {
    const proceed: (() => void)[] = [];
    const url = await serve((_, response) => {
      response.write('one');
      proceed.push(
        () => response.write('two'),
        () => response.end('three'),
      );
    });
    const stream = await client(url).stream(get);
    expect(stream.status).toBe(200);
    const texts: string[] = [];
    const times: number[] = [];
    for await (const { bytes, milliseconds } of stream.chunks) {
      texts.push(Buffer.from(bytes).toString());
      times.push(milliseconds);
      proceed.shift()?.();
    }
    expect(texts).toEqual(['one', 'two', 'three']);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times[0]).toBeGreaterThan(0);
  });

  test('that is left early ends its connection', async () => {
    const closed = bell();
    const url = await serve((_, response) => {
      response.on('close', closed.ring);
      response.write('data: 1\n\n');
    });
    for await (const _ of (await client(url).stream(get)).chunks) break;
    await closed.rung;
  });

  test('that breaks off throws after the chunks that came', async () => {
    const url = await serve((request, response) => {
      response.write('begun');
      setTimeout(() => request.socket.destroy(), 20);
    });
    const { chunks } = await client(url).stream(get);
    const came: string[] = [];
    const problem = await problemOf(
      (async () => {
        for await (const { bytes } of chunks) came.push(Buffer.from(bytes).toString());
      })(),
    );
    expect(came).toEqual(['begun']);
    expect(problem.code).toBe('connection-lost');
  });
});

describe('an answer that never comes', () => {
  const headers = { authorization: `Bearer ${secret}` };

  test('because nothing listens', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((closed) => server.close(closed));
    const problem = await problemOf(client(`http://127.0.0.1:${port}`, { headers }).request(get));
    expect(problem.code).toBe('connection-refused');
    expect(problem.message).toContain(`127.0.0.1:${port}`);
  });

  test('because the name has no address', async () => {
    const problem = await problemOf(client('http://no-such-host.invalid', { headers }).request(get));
    expect(problem.code).toBe('unknown-host');
    expect(problem.message).toContain('no-such-host.invalid');
  });

  test('in time: neither headers nor the rest of a body are waited for longer', async () => {
    const silent = await serve(() => {});
    const stuck = await serve((_, response) => response.write('begun'));
    for (const url of [silent, stuck]) {
      const problem = await problemOf(client(url, { headers, timeoutMs: 60 }).request(get));
      expect(problem).toMatchObject({ code: 'timeout', message: expect.stringContaining('0.06 s') });
    }
    expect((await problemOf(client(silent).request({ ...get, timeoutMs: 40 }))).code).toBe('timeout');
  });

  test('because it is too big: the rest is not read', async () => {
    const closed = bell();
    const url = await serve((_, response) => {
      response.on('close', closed.ring);
      const more = (): void => void (response.destroyed || response.write(Buffer.alloc(4096), more));
      more();
    });
    const problem = await problemOf(client(url, { headers, maxAnswerBytes: 10_000 }).request(get));
    expect(problem).toMatchObject({ code: 'answer-too-big', message: expect.stringContaining('10000 bytes') });
    await closed.rung;
    const smaller = await problemOf(client(url, { headers }).request({ ...get, maxAnswerBytes: 5000 }));
    expect(smaller.message).toContain('5000 bytes');
  });

  test('because what listens does not speak HTTP', async () => {
    const port = await listen(
      createTcpServer((socket) => socket.resume().end('\u0000\u0000\u0012\u0004 not http \u001b[31m')),
    );
    const problem = await problemOf(client(`http://127.0.0.1:${port}`, { headers }).request(get));
    expect(problem.code).toBe('not-http');
  });

  test('because the connection is closed half-way', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('ten bytes!');
      setTimeout(() => request.socket.destroy(), 20);
    });
    expect((await problemOf(client(url, { headers }).request(get))).code).toBe('connection-lost');
  });
});

describe('a redirect', () => {
  const to =
    (location: string, status = 307) =>
    (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(status, { location }).end();

  test('to another server is refused, and nothing is sent there', async () => {
    let reached = false;
    const other = await serve((_, response) => {
      reached = true;
      response.end();
    });
    const url = await serve(to(`${other.href}login?code=${secret}`, 302));
    const problem = await problemOf(client(url, { headers: { authorization: `Bearer ${secret}` } }).request(get));
    expect(problem).toMatchObject({ code: 'redirected-elsewhere', found: `${other.href}login` });
    expect(reached).toBe(false);
  });

  test('to another scheme of the same name is another server', async () => {
    const url = await serve((request, response) => to(`https://${request.headers.host}/`, 301)(request, response));
    expect((await problemOf(client(url).request(get))).code).toBe('redirected-elsewhere');
  });

  test('to an address that is none is refused', async () => {
    expect((await problemOf(client(await serve(to('http://[::'))).request(get))).code).toBe('redirected-elsewhere');
  });

  test('within the server is followed three times for GET', async () => {
    const url = await serve((request, response) => {
      const step = Number(request.url?.slice(2));
      if (step === 3) response.end('there');
      else to(`/s${step + 1}`)(request, response);
    });
    const http = client(url);
    expect(Buffer.from((await http.request({ method: 'GET', path: '/s0' })).body).toString()).toBe('there');
    expect((await problemOf(http.request({ method: 'GET', path: '/s-1' }))).code).toBe('too-many-redirects');
  });

  test('of a POST is refused', async () => {
    const problem = await problemOf(
      client(await serve(to('/infer/'))).request({ method: 'POST', path: '/infer', body: '{}' }),
    );
    expect(problem.code).toBe('redirected');
    expect(problem.found).toMatch(/\/infer\/$/);
  });
});

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

async function certificate(options: {
  readonly host?: string;
  readonly from?: Date;
  readonly until?: Date;
  readonly by?: Certificate;
  readonly authority?: boolean;
}): Promise<Certificate> {
  const host = options.host ?? 'localhost';
  const { cert, private: key } = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: options.from ?? new Date(Date.now() - 86_400_000),
    notAfterDate: options.until ?? new Date(Date.now() + 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: options.authority ?? false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] },
    ],
    ...(options.by === undefined ? {} : { ca: options.by }),
  });
  return { cert, key };
}

async function serveTls(of: Certificate, host = 'localhost'): Promise<string> {
  return `https://${host}:${await listen(createTlsServer(of, (_, response) => response.end('safe')))}`;
}

describe('TLS', () => {
  test('is explained when the certificate is self-signed, and works once it is trusted', async () => {
    const own = await certificate({});
    const url = await serveTls(own);
    const problem = await problemOf(client(url).request(get));
    expect(problem.code).toBe('tls-self-signed');
    expect(problem.fix).toContain('authority to trust');
    expect((await client(url, { ca: own.cert }).request(get)).status).toBe(200);
  });

  test('is explained when the authority is not known, also when another one was given', async () => {
    const authority = await certificate({ host: 'Our CA', authority: true });
    const url = await serveTls(await certificate({ by: authority }));
    expect((await problemOf(client(url).request(get))).code).toBe('tls-unknown-authority');
    expect((await client(url, { ca: authority.cert }).request(get)).status).toBe(200);
    const other = await certificate({ host: 'Their CA', authority: true });
    const problem = await problemOf(client(url, { ca: other.cert }).request(get));
    expect(problem.fix).toContain('did not sign it');
  });

  test('is explained when the certificate has expired or is not valid yet', async () => {
    const day = (days: number): Date => new Date(Date.now() + days * 86_400_000);
    const old = await certificate({ from: day(-9), until: day(-3) });
    const early = await certificate({ from: day(3), until: day(9) });
    expect((await problemOf(client(await serveTls(old), { ca: old.cert }).request(get))).code).toBe('tls-expired');
    expect((await problemOf(client(await serveTls(early), { ca: early.cert }).request(get))).code).toBe(
      'tls-not-yet-valid',
    );
  });

  test('is explained when the certificate is for another host', async () => {
    const other = await certificate({ host: 'models.example' });
    const problem = await problemOf(client(await serveTls(other), { ca: other.cert }).request(get));
    expect(problem).toMatchObject({ code: 'tls-wrong-host', found: 'DNS:models.example', expected: 'localhost' });
  });

  test('is explained when the port speaks plain HTTP', async () => {
    const url = await serve((_, response) => response.end());
    expect((await problemOf(client(url.href.replace('http:', 'https:')).request(get))).code).toBe('not-tls');
  });

  test('is explained when the server wants a certificate of ours', async () => {
    const own = await certificate({});
    const server = createTlsServer({ ...own, requestCert: true, rejectUnauthorized: true }, (_, response) =>
      response.end(),
    );
    const problem = await problemOf(client(`https://localhost:${await listen(server)}`, { ca: own.cert }).request(get));
    expect(['tls-failed', 'connection-lost']).toContain(problem.code);
  });

  test('needs a certificate authority in PEM', async () => {
    expect((await problemOf(() => client('https://localhost', { ca: 'MIIB' }), InputError)).code).toBe(
      'bad-certificate',
    );
  });
});

describe('a proxy', () => {
  /** Tunnels every CONNECT to `port` of this machine. */
  async function proxy(port: number): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((_, response) => response.end('not tunnelled'));
    server.on('connect', (request, socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      if (port === 0) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      const up = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        up.pipe(socket).pipe(up);
      });
      up.on('error', () => socket.destroy());
      socket.on('error', () => up.destroy());
    });
    return { url: `http://jo:pass@127.0.0.1:${await listen(server)}`, asked };
  }

  test('takes https to other machines, with the TLS of the server itself', async () => {
    const own = await certificate({ host: 'models.example' });
    const port = Number(new URL(await serveTls(own)).port);
    const { url, asked } = await proxy(port);
    const http = client('https://models.example', { ca: own.cert }, { environment: { HTTPS_PROXY: url } });
    expect(Buffer.from((await http.request(get)).body).toString()).toBe('safe');
    expect(asked).toEqual([`models.example:443 Basic ${btoa('jo:pass')}`]);
  });

  test('that refuses is named, without its password', async () => {
    const { url } = await proxy(0);
    const environment = { HTTPS_PROXY: url.replace('pass', secret) };
    const problem = await problemOf(client('https://models.example', {}, { environment }).request(get));
    expect(problem.code).toBe('proxy-refused');
    expect(problem.message).toContain(new URL(url).host);
  });

  test('is not used for this machine, for http, or for what NO_PROXY names', async () => {
    const { url, asked } = await proxy(0);
    const environment = { HTTPS_PROXY: url, HTTP_PROXY: url, NO_PROXY: '.invalid' };
    const own = await certificate({});
    expect((await client(await serveTls(own), { ca: own.cert }, { environment }).request(get)).status).toBe(200);
    await problemOf(client('https://a.invalid', {}, { environment }).request(get));
    await problemOf(client('http://b.invalid', {}, { environment }).request(get));
    expect(asked).toEqual([]);
  });
});

describe('what is given', () => {
  test.each([
    ['a line break in a value', { authorization: `Bearer ${secret}\r\nX-Admin: 1` }, 'line break'],
    ['a character HTTP does not allow', { 'x-name': `${secret} ✓` }, 'a character'],
    ['a name with a colon', { 'x:y': secret }, 'no name'],
    ['a name with a line break', { 'x\ny': secret }, 'no name'],
    ['a header of the connection', { 'Transfer-Encoding': 'chunked' }, 'belongs to the connection'],
  ])('is refused before anything is sent: %s', async (_, headers, why) => {
    const problem = await problemOf(() => client('http://127.0.0.1:1', { headers }), InputError);
    expect(problem).toMatchObject({ code: 'bad-header', message: expect.stringContaining(why) });
  });

  test('may end in the line break of a file: it is taken off', () => {
    expect(client('http://a', { headers: { authorization: `Bearer ${secret}\n` } }).wire(get).headers).toEqual({
      authorization: `Bearer ${secret}`,
    });
  });

  test('must be a URL for HTTP', async () => {
    expect((await problemOf(() => client('grpc://127.0.0.1:8001'), InputError)).code).toBe('wrong-scheme');
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://100.100.100.200/',
  ])('must not be where clouds keep credentials: %s', async (url) => {
    expect((await problemOf(() => client(url), InputError)).code).toBe('forbidden-address');
    expect(() => client(url, {}, { allowLinkLocal: true })).not.toThrow();
  });

  test('is hidden in what a server repeats, whole and in its parts', () => {
    const url = 'http://jo:p%40ssword@127.0.0.1:1/?sig=abcdef';
    const { hide } = client(url, { headers: { authorization: `Bearer ${secret}`, 'content-type': 'text/csv' } });
    expect(hide(`token ${secret} of Bearer ${secret}; p@ssword p%40ssword abcdef text/csv`)).toBe(
      'token *** of ***; *** *** *** text/csv',
    );
  });
});

test('a download larger than what may wait for its reader comes whole', async () => {
  const [parts, part] = [160, Buffer.alloc(1024 * 1024, 7)];
  const url = await serve(async (_, response) => {
    for (let sent = 0; sent < parts; sent++) if (!response.write(part)) await once(response, 'drain');
    response.end();
  });
  const { chunks } = await client(url, { maxAnswerBytes: 1e9 }).stream(get);
  let received = 0;
  for await (const { bytes } of chunks) {
    // All that can come has come before the next chunk is asked for.
    if (received === 0) await new Promise((later) => setTimeout(later, 300));
    received += bytes.length;
  }
  expect(received).toBe(parts * part.length);
});
