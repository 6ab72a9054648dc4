import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { InputError } from '../../core/problem/index.ts';
import { kubeconfigFiles, readKubeconfig } from './kubeconfig.ts';

let folder: string;
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: unknown): string {
  const path = join(folder, `config-${++files}`);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

function config({ cluster, user, context }: Parts = {}): object {
  return {
    clusters: [{ name: 'c', cluster: { server: 'https://cluster.example:6443', ...cluster } }],
    users: [{ name: 'u', user: user ?? { token: 'secret' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
    'current-context': 'x',
  };
}

function problemOf(content: unknown, context?: string): InputError['problems'][0] {
  try {
    readKubeconfig({ files: [file(content)], ...(context === undefined ? {} : { context }) });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    const [problem] = (error as InputError).problems;
    expect(problem.fix).toMatch(/\S/);
    return problem;
  }
  throw new Error('nothing was thrown');
}

describe('a kubeconfig', () => {
  test('names the server, the authority, the namespace and who asks', () => {
    const ca = '-----BEGIN CERTIFICATE-----';
    const cluster = { 'certificate-authority-data': Buffer.from(ca).toString('base64'), 'tls-server-name': 'kube' };
    const path = file(config({ cluster, context: { namespace: 'shop' } }));
    expect(readKubeconfig({ files: [path] })).toEqual({
      server: new URL('https://cluster.example:6443'),
      origin: 'context x of the kubeconfig',
      namespace: 'shop',
      ca,
      tlsServerName: 'kube',
      credentials: { kind: 'token', token: 'secret' },
    });
  });

  test('has paths relative to itself, and data before files', () => {
    mkdirSync(join(folder, 'pki'), { recursive: true });
    writeFileSync(join(folder, 'pki', 'ca.crt'), 'CA');
    const user = {
      'client-certificate-data': Buffer.from('CERT').toString('base64'),
      'client-certificate': 'nowhere',
      'client-key-data': Buffer.from('KEY').toString('base64'),
    };
    const path = file(config({ cluster: { 'certificate-authority': 'pki/ca.crt' }, user }));
    expect(readKubeconfig({ files: [path] })).toMatchObject({
      ca: 'CA',
      credentials: { kind: 'certificate', certificate: 'CERT', key: 'KEY' },
    });
    const withFile = file(config({ user: { tokenFile: 'token' } }));
    expect(readKubeconfig({ files: [withFile] }).credentials).toEqual({
      kind: 'token-file',
      file: join(folder, 'token'),
    });
  });

  test('of several files is merged, and the first that defines a name wins', () => {
    const one = file({ 'current-context': 'x', users: [{ name: 'u', user: { token: 'first' } }] });
    const two = file(config());
    expect(readKubeconfig({ files: [one, two, join(folder, 'missing')] })).toMatchObject({
      server: new URL('https://cluster.example:6443'),
      credentials: { token: 'first' },
    });
    expect(kubeconfigFiles({ KUBECONFIG: [one, '', two].join(delimiter) })).toEqual([one, two]);
    expect(kubeconfigFiles({ HOME: join(folder, 'nobody') })).toEqual([]);
  });

  test('with an exec plugin tells what to run and runs nothing: no shell, a path relative to the file', () => {
    const marker = join(folder, 'marker');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './login; touch marker',
      args: ['$(touch marker)', '`id`'],
      env: [{ name: 'A', value: '1' }],
      installHint: 'install it',
    };
    const path = file(config({ user: { exec } }));
    expect(readKubeconfig({ files: [path] }).credentials).toEqual({
      kind: 'exec',
      plugin: { ...exec, command: join(folder, 'login; touch marker'), env: { A: '1' } },
    });
    expect(() => readKubeconfig({ files: [marker] })).toThrow();
    const named = file(config({ user: { exec: { ...exec, command: 'aws' } } }));
    expect(readKubeconfig({ files: [named] }).credentials).toMatchObject({ plugin: { command: 'aws' } });
  });

  test.each([
    ['no current context', { clusters: [] }, 'no-context'],
    ['a context that is not there', { ...config(), 'current-context': 'y' }, 'no-such-context'],
    ['a cluster that is not there', config({ context: { cluster: 'z' } }), 'no-such-cluster'],
    ['a user who is not there', config({ context: { user: 'z' } }), 'no-such-user'],
    ['a server that is no address', config({ cluster: { server: 'cluster:6443' } }), 'bad-server'],
    ['a server of another scheme', config({ cluster: { server: 'file:///etc/passwd' } }), 'bad-server'],
    ['a SOCKS proxy', config({ cluster: { 'proxy-url': 'socks5://a:1' } }), 'bad-proxy'],
    ['an auth-provider', config({ user: { 'auth-provider': { name: 'gcp' } } }), 'auth-provider'],
    ['a missing authority', config({ cluster: { 'certificate-authority': 'no.crt' } }), 'missing-file'],
    ['clusters that are text', { clusters: 'all' }, 'bad-kubeconfig'],
    ['a list', [1], 'bad-kubeconfig'],
    ['no YAML', 'a: [b', 'bad-kubeconfig'],
  ])('with %s is refused with what to do', (_, content, code) => {
    expect(problemOf(content).code).toBe(code);
  });

  test('that is broken is not quoted: a token may be in the line', () => {
    const problem = problemOf('users:\n  - token: secret-token\n   bad: [');
    expect(JSON.stringify(problem)).not.toContain('secret-token');
  });

  test('with names full of newlines and escapes is quoted on one line', () => {
    const name = 'x\n::add-mask::\u001b[2J';
    const problem = problemOf({ ...config(), contexts: [{ name, context: { cluster: 'c' } }] });
    expect(JSON.stringify(problem)).not.toMatch(/\\u001b|\\n/);
    expect(problemOf(config(), name).message).not.toMatch(/\n|\u001b/);
  });

  test('without a user asks as nobody', () => {
    const path = file(config({ context: { user: '' } }));
    expect(readKubeconfig({ files: [path] }).credentials).toEqual({ kind: 'none' });
  });
});
