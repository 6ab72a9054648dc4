import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { PinnedPackage } from './parts.ts';
import { platformName, thisPlatform } from './platform.ts';

/** For tests: an npm registry on this machine that serves tiny stand-ins of the native packages. */
export interface RegistryStandIn extends AsyncDisposable {
  readonly url: string;
  /** The table that pins what it serves. */
  readonly packages: readonly PinnedPackage[];
  /** Paths asked for, in order. */
  readonly requests: readonly string[];
  /** What each request carried as `authorization`. */
  readonly credentials: readonly (string | undefined)[];
  /** Takes over an answer; returns false to leave it to the stand-in. */
  answer: (request: IncomingMessage, response: ServerResponse, tarball: Uint8Array) => boolean;
}

const { os, cpu } = thisPlatform();
const machine = platformName(thisPlatform());

/** The files of each stand-in package, below `package/`. */
const contents: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'onnxruntime-node': {
    'dist/index.js': "exports.env = {}; exports.common = require('onnxruntime-common').kind;",
    'dist/index.d.ts': 'export {};',
    'script/install.js': 'throw new Error("must not run");',
    [`bin/napi-v6/${os}/${cpu}/onnxruntime_binding.node`]: 'library of this machine',
    'bin/napi-v6/plan9/mips/onnxruntime_binding.node': 'library of another machine',
  },
  'onnxruntime-common': { 'dist/index.js': "exports.kind = 'commonjs';", 'dist/package.json': '{"type":"commonjs"}' },
  '@duckdb/node-api': { 'dist/index.js': "exports.bindings = require('@duckdb/node-bindings');" },
  '@duckdb/node-bindings': { 'dist/index.js': "exports.name = 'bindings';" },
  [`@duckdb/node-bindings-${machine}`]: { 'duckdb.node': 'library of this machine' },
  'detect-libc': { 'dist/index.js': '' },
};

export async function startRegistry(versions: Readonly<Record<string, string>>): Promise<RegistryStandIn> {
  const served = new Map<string, Uint8Array>();
  const packages: PinnedPackage[] = [];
  for (const [name, files] of Object.entries(contents)) {
    const version = versions[name] ?? '0.0.0';
    const type = name === 'onnxruntime-common' ? { type: 'module' } : {};
    const tarball = await tarballOf({
      'package.json': JSON.stringify({ name, version, main: 'dist/index.js', ...type }),
      ...files,
    });
    served.set(`/npm/${name}/-/${name.replace(/^@[^/]+\//, '')}-${version}.tgz`, tarball);
    packages.push({ name, version, integrity: integrityOf(tarball) });
  }
  const requests: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    credentials.push(request.headers.authorization);
    const tarball = served.get(path);
    if (tarball === undefined) {
      response.writeHead(404).end();
    } else if (!standIn.answer(request, response, tarball)) {
      response.writeHead(200, { 'content-length': tarball.length }).end(tarball);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const standIn: RegistryStandIn = {
    url: `http://127.0.0.1:${port}/npm`,
    packages,
    requests,
    credentials,
    answer: () => false,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}

/** A gzipped tar as `npm pack` makes it: everything below `package/`, unless a path says otherwise by starting with a slash. */
export async function tarballOf(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const tar = pack();
  for (const [path, text] of Object.entries(files)) {
    tar.entry({ name: path.startsWith('/') ? path.slice(1) : `package/${path}` }, text);
  }
  tar.finalize();
  return gzipSync(await buffer(tar));
}

export function integrityOf(tarball: Uint8Array): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
}
