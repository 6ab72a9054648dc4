import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentHost } from '../host/index.ts';
import { NativeError } from '../problem/index.ts';
import { bringNativeParts } from './fill-directory.ts';
import { loadDuckDb, loadOnnxRuntime } from './load.ts';
import type { NativeOptions } from './options.ts';
import { nativeVersions, parts, pinnedPackages } from './parts.ts';
import { platformName, thisPlatform } from './platform.ts';
import { integrityOf, type RegistryStandIn, startRegistry, tarballOf } from './registry-stand-in.ts';

const versions = Object.fromEntries(pinnedPackages.map(({ name, version }) => [name, version]));
const machine = platformName(thisPlatform());
let directory: string;
let registry: RegistryStandIn;
let options: NativeOptions;

beforeEach(async () => {
  // The real path: macOS's temporary directory is behind a symbolic link.
  directory = await realpath(await mkdtemp(join(tmpdir(), 'sluice-native-')));
  registry = await startRegistry(versions);
  options = {
    toolCache: join(directory, 'cache'),
    registry: registry.url,
    packages: registry.packages,
    environment: {},
    from: join(directory, 'elsewhere', 'dist', 'index.js'),
    patience: { attempts: 3, backoff: 1 },
  };
});

afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const keptRuntime = (): string => join(directory, 'cache', 'sluice-onnxruntime', nativeVersions.onnxruntime, machine);

/** The one error that must come. */
async function errorOf(work: Promise<unknown>): Promise<NativeError> {
  const failure = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (failure instanceof NativeError) return failure;
  throw new Error(`expected a NativeError, got ${String(failure)}`);
}

test('a part nobody has yet is downloaded once and then found in the tool cache', async () => {
  const runtime = await loadOnnxRuntime(options);
  expect(runtime).toMatchObject({ common: 'commonjs', env: { logLevel: 'fatal' } });
  expect(registry.requests).toHaveLength(2);
  expect(await loadOnnxRuntime({ ...options, registry: 'http://127.0.0.1:9/' })).toBe(runtime);
  expect(registry.requests).toHaveLength(2);
});

test("only programs, every package.json and this machine's library are unpacked", async () => {
  await loadOnnxRuntime(options);
  const files = readdirSync(keptRuntime(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(keptRuntime().length + 1))
    .sort();
  expect(files).toEqual(
    [
      'node_modules/onnxruntime-common/dist/index.js',
      'node_modules/onnxruntime-common/dist/package.json',
      'node_modules/onnxruntime-common/package.json',
      `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
      'node_modules/onnxruntime-node/dist/index.js',
      'node_modules/onnxruntime-node/package.json',
      'sluice-native.json',
    ].sort(),
  );
});

test('a package with another hash is refused, nothing of it is kept and it is not asked for again', async () => {
  const other = await tarballOf({ 'package.json': '{"name":"onnxruntime-node"}', 'dist/index.js': 'throw 1;' });
  registry.answer = (request, response) => {
    if (!(request.url ?? '').includes('onnxruntime-node')) return false;
    response.writeHead(200).end(other);
    return true;
  };
  const { problems, message } = await errorOf(loadOnnxRuntime(options));
  expect(problems[0]).toMatchObject({ code: 'integrity-mismatch', found: integrityOf(other) });
  expect(message).toContain(registry.packages.find(({ name }) => name === 'onnxruntime-node')?.integrity);
  expect(readdirSync(dirname(keptRuntime()))).toEqual([]);
  expect(registry.requests.filter((path) => path.includes('onnxruntime-node'))).toHaveLength(1);
});

test('a download that is cut off is tried again', async () => {
  let cut = 0;
  registry.answer = (_request, response, tarball) => {
    if (cut++ >= 2) return false;
    response.writeHead(200, { 'content-length': tarball.length });
    response.write(tarball.subarray(0, 100), () => response.destroy());
    return true;
  };
  expect(await loadOnnxRuntime(options)).toMatchObject({ common: 'commonjs' });
});

test('a download that is always cut off is one clear error and leaves nothing', async () => {
  registry.answer = (_request, response, tarball) => {
    // No content-length: only the gzip stream itself can tell that the end is missing.
    response.end(tarball.subarray(0, tarball.length - 10));
    return true;
  };
  const { problems } = await errorOf(loadOnnxRuntime(options));
  expect(problems.map(({ code }) => code)).toEqual(['download-failed', 'download-failed']);
  expect(problems[0]).toMatchObject({ found: 'unexpected end of file (Z_BUF_ERROR)' });
  expect(problems[0].fix).toContain('sluice native DIR');
  expect(problems[1]?.fix).toBeUndefined();
  expect(registry.requests).toHaveLength(6);
  expect(readdirSync(dirname(keptRuntime()))).toEqual([]);
});

test('a server that stops in the middle of a body is given up', async () => {
  registry.answer = (_request, response, tarball) => {
    response.writeHead(200, { 'content-length': tarball.length }).write(tarball.subarray(0, 50));
    return true;
  };
  const { message } = await errorOf(loadOnnxRuntime({ ...options, patience: { attempts: 1, stall: 50 } }));
  expect(message).toContain('no byte came for 0.05 s');
});

test('server errors that pass are waited out', async () => {
  const statuses = [500, 503, 429];
  registry.answer = (_request, response) => {
    const status = statuses.shift();
    if (status === undefined) return false;
    response.writeHead(status).end();
    return true;
  };
  expect(await loadOnnxRuntime({ ...options, patience: { attempts: 4, backoff: 1 } })).toMatchObject({
    common: 'commonjs',
  });
  expect(registry.requests).toHaveLength(5);
});

test('an answer that will not change is not asked for twice', async () => {
  registry.answer = (_request, response) => {
    response.writeHead(403).end();
    return true;
  };
  const { problems } = await errorOf(loadOnnxRuntime(options));
  expect(problems[0]).toMatchObject({ code: 'download-refused', found: 'HTTP 403' });
  expect(problems[0].fix).toContain('credentials');
  expect(registry.requests).toHaveLength(2);
});

test('without a network the error says how to do without', async () => {
  const offline = { ...options, registry: 'http://127.0.0.1:9/', patience: { attempts: 2, backoff: 1 } };
  const { problems } = await errorOf(loadOnnxRuntime(offline));
  expect(problems[0]).toMatchObject({ code: 'download-failed' });
  expect(problems[0].fix).toContain('SLUICE_NATIVE_DIR');
});

test('credentials in the registry address are sent as a header and never shown', async () => {
  const withUser = registry.url.replace('http://', 'http://robot:s%40crit@');
  await loadOnnxRuntime({ ...options, registry: withUser });
  expect(registry.credentials[0]).toBe(`Basic ${Buffer.from('robot:s@crit').toString('base64')}`);
  registry.answer = (_request, response) => {
    response.writeHead(404).end();
    return true;
  };
  const { message } = await errorOf(loadDuckDb({ ...options, registry: withUser }));
  expect(message).not.toMatch(/robot|crit/);
});

test('an address that is not a registry is refused by name', async () => {
  const { problems } = await errorOf(loadOnnxRuntime({ ...options, registry: 'registry.local' }));
  expect(problems[0]).toMatchObject({ code: 'bad-registry', found: 'registry.local' });
});

test('the proxy variables are honoured', async () => {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const end of [upstream, client]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  try {
    await loadOnnxRuntime({ ...options, environment: { http_proxy: `http://127.0.0.1:${port}` } });
    expect(tunnels).toContain(new URL(registry.url).host);
    const seen = tunnels.length;
    await loadDuckDb({ ...options, environment: { http_proxy: `http://127.0.0.1:${port}`, NO_PROXY: '127.0.0.1' } });
    expect(tunnels).toHaveLength(seen);
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});

test('two loads at once download once', async () => {
  const [first, second] = await Promise.all([loadDuckDb(options), loadDuckDb(options)]);
  expect(second).toBe(first);
  expect(new Set(registry.requests).size).toBe(registry.requests.length);
});

const childProgram = `
import { loadOnnxRuntime } from ${JSON.stringify(new URL('./load.ts', import.meta.url).href)};
const runtime = await loadOnnxRuntime(JSON.parse(process.env.OPTIONS));
process.stdout.write(runtime.common);
`;
const startJob = () =>
  spawn(process.execPath, ['--input-type=module', '-e', childProgram], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

test('two jobs at once download once', async () => {
  const outputs = await Promise.all(
    [startJob(), startJob()].map(async (job) => {
      const chunks: Buffer[] = [];
      job.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      const [code] = await once(job, 'close');
      return `${code} ${Buffer.concat(chunks).toString()}`;
    }),
  );
  expect(outputs).toEqual(['0 commonjs', '0 commonjs']);
  expect(registry.requests).toHaveLength(2);
});

test('a job killed in the middle leaves nothing half-written, and the next one takes over its lock', async () => {
  const asked = new Promise<void>((resolve) => {
    registry.answer = (_request, response, tarball) => {
      response.writeHead(200, { 'content-length': tarball.length }).write(tarball.subarray(0, 100), () => resolve());
      return true;
    };
  });
  const job = startJob();
  await asked;
  job.kill('SIGKILL');
  await once(job, 'close');
  expect(existsSync(keptRuntime())).toBe(false);
  expect(readdirSync(dirname(keptRuntime())).join()).toContain('.lock');
  registry.answer = () => false;
  const next = { ...options, patience: { attempts: 1, staleLock: 2000 } };
  expect(await loadOnnxRuntime(next)).toMatchObject({ common: 'commonjs' });
  expect(readdirSync(dirname(keptRuntime()))).toEqual([machine]);
});

test('a kept part that lost a file is downloaded again', async () => {
  await loadDuckDb(options);
  const kept = join(directory, 'cache', 'sluice-duckdb', nativeVersions.duckdb, machine);
  rmSync(join(kept, 'node_modules', '@duckdb', 'node-bindings', 'dist', 'index.js'));
  const before = registry.requests.length;
  await loadDuckDb(options);
  expect(registry.requests.length).toBe(2 * before);
  expect(existsSync(join(kept, 'node_modules', '@duckdb', 'node-bindings', 'dist', 'index.js'))).toBe(true);
});

/** A copy of sluice installed somewhere, with native packages in the node_modules of `holder`. */
async function install(root: string, holder: string): Promise<string> {
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"name":"sluice"}');
  await bringNativeParts(join(directory, 'filled'), options);
  cpSync(join(directory, 'filled', 'node_modules'), join(holder, 'node_modules'), { recursive: true });
  return join(root, 'dist', 'index.js');
}

test("offline, the packages in Sluice's own node_modules are used", async () => {
  const from = await install(join(directory, 'sluice'), join(directory, 'sluice'));
  const offline = { ...options, from, registry: 'http://127.0.0.1:9/' };
  expect(await loadOnnxRuntime(offline)).toMatchObject({ common: 'commonjs' });
  expect(await loadDuckDb(offline)).toMatchObject({ bindings: { name: 'bindings' } });
  expect(existsSync(join(directory, 'cache'))).toBe(false);
});

test('installed as a dependency, the packages beside it are used', async () => {
  const root = join(directory, 'consumer', 'node_modules', 'sluice');
  const from = await install(root, join(directory, 'consumer'));
  expect(await loadOnnxRuntime({ ...options, from, registry: 'http://127.0.0.1:9/' })).toMatchObject({
    common: 'commonjs',
  });
});

test('node_modules of a checked-out workspace around the action is never loaded', async () => {
  const workspace = join(directory, 'workspace');
  const from = await install(join(workspace, '.sluice'), workspace);
  writeFileSync(
    join(workspace, 'node_modules', 'onnxruntime-node', 'dist', 'index.js'),
    'throw new Error("attacker");',
  );
  expect(await loadOnnxRuntime({ ...options, from })).toMatchObject({ common: 'commonjs' });
  expect(existsSync(keptRuntime())).toBe(true);
});

test('packages of another version in node_modules are passed over', async () => {
  const from = await install(join(directory, 'sluice'), join(directory, 'sluice'));
  const manifest = join(directory, 'sluice', 'node_modules', 'onnxruntime-common', 'package.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(nativeVersions.onnxruntime, '1.0.0'));
  await loadOnnxRuntime({ ...options, from });
  expect(existsSync(keptRuntime())).toBe(true);
});

test('packages installed as symbolic links to a store, as pnpm does, are found', async () => {
  const from = await install(join(directory, 'sluice'), join(directory, 'store'));
  mkdirSync(join(directory, 'sluice', 'node_modules'));
  symlinkSync(
    join(directory, 'store', 'node_modules', 'onnxruntime-node'),
    join(directory, 'sluice', 'node_modules', 'onnxruntime-node'),
    'junction',
  );
  expect(await loadOnnxRuntime({ ...options, from, registry: 'http://127.0.0.1:9/' })).toMatchObject({
    common: 'commonjs',
  });
});

test('SLUICE_NATIVE_DIR is used alone, and once filled needs no network', async () => {
  const filled = join(directory, 'filled');
  await bringNativeParts(filled, options);
  const environment = { SLUICE_NATIVE_DIR: filled };
  expect(await loadOnnxRuntime({ ...options, environment, registry: 'http://127.0.0.1:9/' })).toMatchObject({
    common: 'commonjs',
  });
  await bringNativeParts(filled, { ...options, registry: 'http://127.0.0.1:9/' });
});

test('a SLUICE_NATIVE_DIR that is wrong is named, and nothing is downloaded instead', async () => {
  const missing = join(directory, 'missing');
  const error = await errorOf(loadOnnxRuntime({ ...options, environment: { SLUICE_NATIVE_DIR: missing } }));
  expect(error.problems[0]).toMatchObject({ code: 'bad-native-directory', place: { file: missing } });
  expect(error.message).toContain('there is no such directory');
  const empty = await errorOf(loadDuckDb({ ...options, directory }));
  expect(empty.message).toContain('there is no @duckdb/node-api in it');
  const filled = join(directory, 'filled');
  await bringNativeParts(filled, options);
  rmSync(join(filled, 'node_modules', 'onnxruntime-node', 'bin'), { recursive: true });
  const foreign = await errorOf(loadOnnxRuntime({ ...options, directory: filled }));
  expect(foreign.message).toContain('the library for this machine');
  expect(registry.requests.length).toBe(new Set(registry.requests).size);
});

test('a directory that holds something else is not filled', async () => {
  writeFileSync(join(directory, 'thesis.txt'), 'precious');
  const { problems } = await errorOf(bringNativeParts(directory, options));
  expect(problems[0]).toMatchObject({ code: 'directory-not-empty', found: expect.any(String) });
  expect(readFileSync(join(directory, 'thesis.txt'), 'utf8')).toBe('precious');
});

test.each([
  ['darwin', 'x64', 'Apple-silicon'],
  ['linux', 'ia32', 'ONNX Runtime'],
  ['freebsd', 'x64', 'linux-x64'],
])('a machine nobody builds for is told so: %s-%s', async (platform, arch, words) => {
  const { problems, message } = await errorOf(loadOnnxRuntime({ ...options, platform, arch }));
  expect(problems[0].code).toBe('unsupported-platform');
  expect(message).toContain(words);
  expect(registry.requests).toEqual([]);
});

test('a library that does not load is said to be so, with the way out', async () => {
  const filled = join(directory, 'filled');
  await bringNativeParts(filled, options);
  writeFileSync(
    join(filled, 'node_modules', 'onnxruntime-node', 'dist', 'index.js'),
    "throw new Error('GLIBC_2.99 not found');",
  );
  const { problems } = await errorOf(loadOnnxRuntime({ ...options, directory: filled }));
  expect(problems[0]).toMatchObject({ code: 'load-failed', found: 'GLIBC_2.99 not found' });
});

test('a place that cannot be written is named', async () => {
  writeFileSync(join(directory, 'file'), '');
  const { problems } = await errorOf(loadOnnxRuntime({ ...options, toolCache: join(directory, 'file', 'cache') }));
  expect(problems[0].code).toBe('cannot-write');
  expect(problems[0].place?.file).toContain(join(directory, 'file', 'cache'));
});

test('a download shows progress up to the whole', async () => {
  const updates: [number, number][] = [];
  const host = {
    ...silentHost,
    progress: () => ({ update: (done: number, total: number) => updates.push([done, total]), end: () => {} }),
  };
  await loadOnnxRuntime({ ...options, host });
  const [done, total] = updates.at(-1) ?? [];
  expect(done).toBeGreaterThan(0);
  expect(done).toBe(total);
});

test('the builds ONNX Runtime is said to have are the ones in its package', () => {
  const bin = fileURLToPath(new URL('../../node_modules/onnxruntime-node/bin/napi-v6', import.meta.url));
  const built = readdirSync(bin).flatMap((os) => readdirSync(join(bin, os)).map((cpu) => `${os}-${cpu}`));
  expect([...parts.onnxruntime.platforms].sort()).toEqual(built.sort());
  expect(parts.duckdb.platforms).toContain('linux-x64-musl');
});

test('importing the room loads nothing that downloads', async () => {
  const program = `
    import { Module } from 'node:module';
    await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    process.stdout.write(Object.keys(Module._cache).filter((file) => file.includes('node_modules')).join());
  `;
  const job = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  job.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  expect((await once(job, 'close'))[0]).toBe(0);
  expect(Buffer.concat(chunks).toString()).not.toMatch(/undici|tar-stream|lockfile|onnxruntime|duckdb/);
});
