import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { CredentialSource } from './credential-source.ts';

let folder: string;
let plugins = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-credentials-'));
});
afterAll(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** A plugin that prints what the script says: JavaScript, since the shell of the machine is nobody's business. */
function plugin(script: string, its: { readonly args?: readonly string[]; readonly installHint?: string } = {}) {
  const file = join(folder, `plugin-${++plugins}`);
  writeFileSync(file, `#!${process.execPath}\n${script}`);
  chmodSync(file, 0o755);
  return new CredentialSource({
    kind: 'exec',
    plugin: { apiVersion: 'client.authentication.k8s.io/v1', command: file, args: [], env: { FROM: 'config' }, ...its },
  });
}

async function problemOf(source: CredentialSource): Promise<PeerError['problems'][0]> {
  const thrown = await source.proof().catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(PeerError);
  const [problem] = (thrown as PeerError).problems;
  expect(problem.fix).toMatch(/\S/);
  return problem;
}

const credential = (status: object) =>
  `console.log(JSON.stringify({ kind: 'ExecCredential', status: ${JSON.stringify(status)} }))`;

describe('credentials', () => {
  test('of a token, a name and a password, a certificate and nobody are what they are', async () => {
    const of = (credentials: ConstructorParameters<typeof CredentialSource>[0]) => new CredentialSource(credentials);
    expect(await of({ kind: 'token', token: 't' }).proof()).toEqual({ authorization: 'Bearer t' });
    expect(await of({ kind: 'basic', username: 'a', password: 'b:c' }).proof()).toEqual({
      authorization: `Basic ${Buffer.from('a:b:c').toString('base64')}`,
    });
    expect(await of({ kind: 'certificate', certificate: 'C', key: 'K' }).proof()).toMatchObject({
      certificate: { certificate: 'C', key: 'K' },
    });
    expect(await of({ kind: 'none' }).proof()).toEqual({});
  });

  test('in a file are read again before they are a minute old, and at once when they were refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const file = join(folder, 'token');
    writeFileSync(file, 'one\n');
    const source = new CredentialSource({ kind: 'token-file', file });
    expect(await source.proof()).toEqual({ authorization: 'Bearer one' });
    writeFileSync(file, 'two');
    expect(await source.proof()).toEqual({ authorization: 'Bearer one' });
    vi.setSystemTime(Date.now() + 60_000);
    expect(await source.proof()).toEqual({ authorization: 'Bearer two' });
    writeFileSync(file, 'three');
    source.forget();
    expect(await source.proof()).toEqual({ authorization: 'Bearer three' });
    rmSync(file);
    source.forget();
    expect(await problemOf(source)).toMatchObject({ code: 'no-token', place: { file } });
    vi.useRealTimers();
  });
});

describe('an exec plugin', () => {
  test('is run without a shell, with its arguments and environment as they are', async () => {
    const script = `const { KUBERNETES_EXEC_INFO, FROM } = process.env;
const token = [FROM, JSON.parse(KUBERNETES_EXEC_INFO).spec.interactive, ...process.argv.slice(2)].join('|');
console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`;
    const source = plugin(script, { args: ['$(id)', ';', '`id`'] });
    expect(await source.proof()).toEqual({ authorization: 'Bearer config|false|$(id)|;|`id`' });
  });

  test('is asked once while its token lasts, and again before it ends', async () => {
    const at = Date.now();
    const script = `const expirationTimestamp = new Date(${at} + 3600_000).toISOString();
console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: String(process.pid), expirationTimestamp } }));`;
    const source = plugin(script);
    const first = await source.proof();
    expect(await source.proof()).toEqual(first);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(at + 3_595_000);
    expect(await source.proof()).not.toEqual(first);
    vi.useRealTimers();
  });

  test('may print a certificate', async () => {
    const source = plugin(credential({ clientCertificateData: 'C', clientKeyData: 'K' }));
    expect(await source.proof()).toEqual({ certificate: { certificate: 'C', key: 'K' } });
  });

  test.each([
    ['prints nothing', '', 'plugin-without-credentials'],
    ['prints no credential', 'console.log("Please log in: https://example.com")', 'plugin-without-credentials'],
    ['prints half of one', credential({ clientCertificateData: 'C' }), 'plugin-without-credentials'],
    ['prints more than a mebibyte', 'process.stdout.write("x".repeat(2 << 20))', 'plugin-failed'],
    ['fails', 'console.error("expired\\n::error::\\u001b[31m"); process.exit(1)', 'plugin-failed'],
  ])('that %s is told of, on one line', async (_, script, code) => {
    const problem = await problemOf(plugin(script));
    expect(problem.code).toBe(code);
    expect(JSON.stringify(problem)).not.toMatch(/\\u001b|\\n/);
  });

  test('that is not installed is told of with its own hint', async () => {
    const source = new CredentialSource({
      kind: 'exec',
      plugin: { apiVersion: 'v1', command: join(folder, 'none'), args: [], env: {}, installHint: 'brew install none' },
    });
    expect(await problemOf(source)).toMatchObject({ code: 'plugin-missing', fix: 'brew install none' });
  });
});
