import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentHost } from '../core/host/index.ts';
import { InputError, PeerError } from '../core/problem/index.ts';
import { ApiStandIn, notFound, notPermitted, type Received } from './api-stand-in.ts';
import { baseFilesOf } from './base-files.ts';

const policy = 'version: 1\n';
const weights = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));
const large = Buffer.from('the large model, kept in Git LFS');
const largeOid = createHash('sha256').update(large).digest('hex');
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${largeOid}\nsize ${large.length}\n`;

let place = '';
let origin = '';
let base = '';

const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
function git(directory: string, ...parameters: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  return execFileSync('git', ['-C', directory, ...identity, ...parameters], { env, stdio: 'pipe' })
    .toString()
    .trim();
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'sluice-base-'));
  origin = join(place, 'origin');
  await mkdir(join(origin, 'ml', 'models'), { recursive: true });
  git(origin, 'init', '-q', '-b', 'main');
  for (const setting of ['uploadpack.allowAnySHA1InWant', 'uploadpack.allowReachableSHA1InWant']) {
    git(origin, 'config', setting, 'true');
  }
  await writeFile(join(origin, 'ml', 'sluice.yaml'), policy);
  await writeFile(join(origin, 'ml', 'models', 'm.onnx'), weights);
  await writeFile(join(origin, 'ml', 'models', 'large.onnx'), pointer);
  await writeFile(join(origin, 'ml', 'odd [name]*.txt'), 'odd');
  await writeFile(join(origin, 'top.txt'), 'top');
  await symlink('../top.txt', join(origin, 'ml', 'link.yaml'));
  git(origin, 'add', '-A');
  const submodule = `160000,${'1'.repeat(40)},ml/submodule`;
  git(origin, 'update-index', '--add', '--cacheinfo', submodule);
  git(origin, 'commit', '-q', '-m', 'base');
  base = git(origin, 'rev-parse', 'HEAD');
  await writeFile(join(origin, 'ml', 'sluice.yaml'), 'version: 1\nname: head\n');
  git(origin, 'add', 'ml/sluice.yaml');
  git(origin, 'commit', '-q', '-m', 'head');
});
afterAll(() => rm(place, { recursive: true, force: true }));

let clones = 0;
/** What `actions/checkout` leaves: the head alone. */
function clone(...options: string[]): string {
  const directory = join(place, `clone-${clones++}`);
  git(place, 'clone', '-q', '--no-local', ...options, pathToFileURL(origin).href, directory);
  return directory;
}
const shallow = () => clone('--depth=1');

async function open(directory: string, commit: { sha: string } | { ref: string } = { sha: base }, api?: ApiStandIn) {
  const given = { directory: join(directory, 'ml'), commit, host: silentHost };
  return baseFilesOf(api === undefined ? given : { ...given, api: api.api() });
}
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

describe('baseFilesOf in a clone', () => {
  test('reads a file of a commit that is there, by its path relative to the folder', async () => {
    const files = await open(clone());
    expect(files.sha).toBe(base);
    expect(text(await files.read('sluice.yaml'))).toBe(policy);
    expect(text(await files.read('../top.txt'))).toBe('top');
    expect(text(await files.read('odd [name]*.txt'))).toBe('odd');
  });

  test('brings the base commit into the shallow clone that checkout makes, and keeps the clone shallow', async () => {
    const directory = shallow();
    expect(() => git(directory, 'cat-file', '-e', base)).toThrow();
    expect(text(await (await open(directory)).read('sluice.yaml'))).toBe(policy);
    expect(git(directory, 'rev-parse', '--is-shallow-repository')).toBe('true');
    expect(existsSync(join(directory, '.git', 'FETCH_HEAD'))).toBe(false);
    expect(git(directory, 'status', '--porcelain')).toBe('');
  });

  test('does not cut the history of a full clone off when it fetches', async () => {
    const directory = clone();
    await writeFile(join(origin, 'top.txt'), 'later');
    git(origin, 'commit', '-qam', 'later');
    const later = git(origin, 'rev-parse', 'HEAD');
    git(origin, 'reset', '-q', '--hard', 'HEAD~1');
    expect(text(await (await open(directory, { sha: later })).read('../top.txt'))).toBe('later');
    expect(git(directory, 'rev-parse', '--is-shallow-repository')).toBe('false');
    expect(git(directory, 'rev-list', '--count', 'HEAD')).toBe('2');
  });

  test('a file the commit does not have is undefined, and nothing is written for it', async () => {
    const files = await open(shallow());
    const target = join(place, 'absent', 'm.onnx');
    expect(await files.read('absent.yaml')).toBeUndefined();
    expect(await files.fetchTo('absent.onnx', target)).toBe(false);
    expect(existsSync(target)).toBe(false);
  });

  test('writes a binary file byte for byte and leaves nothing beside it', async () => {
    const files = await open(shallow());
    const target = join(place, 'fetched', 'deep', 'm.onnx');
    expect(await files.fetchTo('models/m.onnx', target)).toBe(true);
    expect((await readFile(target)).equals(weights)).toBe(true);
    expect(await readdir(join(place, 'fetched', 'deep'))).toEqual(['m.onnx']);
  });

  test.each([
    ['link.yaml', 'a symbolic link'],
    ['submodule', 'a submodule'],
    ['models', 'a folder'],
  ])('refuses %s, which is %s', async (path, kind) => {
    const files = await open(clone());
    await expect(files.read(path)).rejects.toThrow(PeerError);
    await expect(files.read(path)).rejects.toThrow(kind);
  });

  test.each(['../../etc/passwd', '/etc/passwd', '..', '../.git/config', '../.GIT/config', 'a\0b'])(
    'refuses the path %j, which leaves the repository',
    async (path) => {
      const files = await open(clone());
      await expect(files.read(path)).rejects.toThrow(InputError);
    },
  );

  test('works where git runs inside of a hook of another repository', async () => {
    const before = process.env['GIT_DIR'];
    process.env['GIT_DIR'] = join(place, 'elsewhere');
    try {
      expect(text(await (await open(clone())).read('sluice.yaml'))).toBe(policy);
    } finally {
      if (before === undefined) delete process.env['GIT_DIR'];
      else process.env['GIT_DIR'] = before;
    }
  });
});

describe('baseFilesOf by a ref', () => {
  test('takes the commit that the ref names, by branch, tag, origin and short id', async () => {
    const directory = clone();
    git(directory, 'tag', 'v1', base);
    for (const ref of ['v1', 'HEAD~1', base, base.slice(0, 10)]) {
      expect((await open(directory, { ref })).sha).toBe(base);
    }
    expect((await open(directory, { ref: 'main' })).sha).toBe(git(directory, 'rev-parse', 'HEAD'));
  });

  test('finds a branch that only origin has', async () => {
    git(origin, 'branch', '-f', 'release', base);
    expect((await open(clone(), { ref: 'release' })).sha).toBe(base);
  });

  test('says how to bring a ref that is not there', async () => {
    await expect(open(clone(), { ref: 'nowhere' })).rejects.toThrow(/git fetch origin nowhere/);
  });

  test('says so outside of a repository', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-plain-'));
    await mkdir(join(directory, 'ml'));
    await expect(open(directory, { ref: 'main' })).rejects.toThrow(/not in a git repository/);
    await rm(directory, { recursive: true });
  });

  test.each(['--upload-pack=touch hacked', '-x', 'main:ml/sluice.yaml', 'main..HEAD'])('refuses %j', async (ref) => {
    await expect(open(clone(), { ref })).rejects.toThrow(InputError);
  });

  test('refuses a commit that is not one', async () => {
    await expect(open(clone(), { sha: '--output=/tmp/x' })).rejects.toThrow(InputError);
  });
});

describe('baseFilesOf by way of the API', () => {
  /** A checkout without git, as `actions/checkout` makes where git is not installed, or whose origin is gone. */
  function cutOff(): string {
    const directory = shallow();
    git(directory, 'remote', 'set-url', 'origin', pathToFileURL(join(place, 'gone')).href);
    return directory;
  }
  const contents = ({ url }: Received) => {
    const [path] = url.split('?');
    if (path === '/repos/acme/models/contents/ml/sluice.yaml') {
      const content = Buffer.from(policy).toString('base64');
      return { body: { type: 'file', sha: '5'.repeat(40), size: policy.length, encoding: 'base64', content } };
    }
    if (path === '/repos/acme/models/contents/ml/models/m.onnx') {
      return { body: { type: 'file', sha: '6'.repeat(40), size: weights.length, encoding: 'none', content: '' } };
    }
    if (path === `/repos/acme/models/git/blobs/${'6'.repeat(40)}`) {
      // GitHub calls raw bytes text.
      return { body: weights, headers: { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' } };
    }
    if (path === '/repos/acme/models/contents/ml/link.yaml') {
      return { body: { type: 'symlink', sha: '7'.repeat(40), size: 3, target: '/etc/passwd' } };
    }
    if (path === '/repos/acme/models/contents/ml/models') return { body: [] };
    if (path === '/repos/acme/models/contents') return { body: [] };
    return notFound;
  };

  test('asks for the file at the base commit when git cannot bring it', async () => {
    await using api = await ApiStandIn.start(contents);
    const files = await open(cutOff(), { sha: base }, api);
    expect(text(await files.read('sluice.yaml'))).toBe(policy);
    expect(api.received.at(-1)?.url).toBe(`/repos/acme/models/contents/ml/sluice.yaml?ref=${base}`);
    expect(api.received.at(-1)?.headers.authorization).toBe('token ghs_test');
  });

  test('brings a file above 1 MB as raw bytes, unharmed', async () => {
    await using api = await ApiStandIn.start(contents);
    const files = await open(cutOff(), { sha: base }, api);
    const target = join(place, 'from-api.onnx');
    expect(await files.fetchTo('models/m.onnx', target)).toBe(true);
    expect((await readFile(target)).equals(weights)).toBe(true);
  });

  test('a file that the commit does not have is undefined', async () => {
    await using api = await ApiStandIn.start(contents);
    expect(await (await open(cutOff(), { sha: base }, api)).read('absent.yaml')).toBeUndefined();
  });

  test('refuses a symbolic link and a folder there too', async () => {
    await using api = await ApiStandIn.start(contents);
    const files = await open(cutOff(), { sha: base }, api);
    await expect(files.read('link.yaml')).rejects.toThrow(/a symbolic link/);
    await expect(files.read('models')).rejects.toThrow(/a folder/);
  });

  test('a repository the token cannot read is an error, never "no such file"', async () => {
    await using api = await ApiStandIn.start(() => notFound);
    await expect((await open(cutOff(), { sha: base }, api)).read('sluice.yaml')).rejects.toThrow(PeerError);
  });

  test('names every way it tried, and the fix', async () => {
    await using api = await ApiStandIn.start(() => notPermitted);
    const failed = (await open(cutOff(), { sha: base }, api)).read('sluice.yaml');
    await expect(failed).rejects.toThrow(
      /git fetch: .*git fetch with the token: .*the contents API: .*contents: read.*fetch-depth: 0/,
    );
  });

  test('without a token the API is named as not tried', async () => {
    await expect((await open(cutOff())).read('sluice.yaml')).rejects.toThrow(/the contents API: no token/);
  });

  test('works in a checkout without git, whose top is the workspace', async () => {
    const workspace = await mkdtemp(join(tmpdir(), 'sluice-workspace-'));
    await mkdir(join(workspace, 'ml'));
    const before = process.env['GITHUB_WORKSPACE'];
    process.env['GITHUB_WORKSPACE'] = workspace;
    try {
      await using api = await ApiStandIn.start(contents);
      expect(text(await (await open(workspace, { sha: base }, api)).read('sluice.yaml'))).toBe(policy);
    } finally {
      if (before === undefined) delete process.env['GITHUB_WORKSPACE'];
      else process.env['GITHUB_WORKSPACE'] = before;
      await rm(workspace, { recursive: true });
    }
  });

  test('git gets the token only where the first try failed, in the header of the right server, not among its arguments', async () => {
    await using api = await ApiStandIn.start(({ url, ...request }) =>
      url.includes('info/refs')
        ? { status: 401, headers: { 'www-authenticate': 'Basic' } }
        : contents({ url, ...request }),
    );
    const directory = shallow();
    git(directory, 'remote', 'set-url', 'origin', `${api.url}/acme/models.git`);
    // What actions/checkout leaves behind; two headers at once would be refused.
    git(directory, 'config', `http.${api.url}/.extraheader`, 'AUTHORIZATION: basic c3RhbGU=');
    expect(text(await (await open(directory, { sha: base }, api)).read('sluice.yaml'))).toBe(policy);
    const headers = api
      .asked('GET', '/acme/models.git/info/refs')
      .map(({ headers: { authorization } }) => authorization);
    const withToken = `basic ${Buffer.from('x-access-token:ghs_test').toString('base64')}`;
    expect(new Set(headers)).toEqual(new Set(['basic c3RhbGU=', withToken]));
    expect(headers.at(-1)).toBe(withToken);
  });
});

describe('baseFilesOf with Git LFS', () => {
  const server =
    (content: Buffer, refuse = false) =>
    ({ method, url }: Received) => {
      if (method === 'POST' && url === '/acme/models.git/info/lfs/objects/batch') {
        const object = { oid: largeOid, size: large.length };
        return {
          body: {
            transfer: 'basic',
            objects: [
              refuse
                ? { ...object, error: { code: 404, message: 'Object does not exist' } }
                : { ...object, actions: { download: { href: `${at}/objects/1`, header: { 'x-signed': 'yes' } } } },
            ],
          },
        };
      }
      return url === '/objects/1' ? { body: content } : notFound;
    };
  let at = '';
  async function start(content: Buffer, refuse = false): Promise<ApiStandIn> {
    const api = await ApiStandIn.start(server(content, refuse));
    at = api.url;
    return api;
  }

  test('brings the content of a pointer from the LFS server, and keeps the token from the object store', async () => {
    await using api = await start(large);
    const files = await open(shallow(), { sha: base }, api);
    const target = join(place, 'large.onnx');
    expect(await files.fetchTo('models/large.onnx', target)).toBe(true);
    expect((await readFile(target)).equals(large)).toBe(true);
    expect(text(await files.read('models/large.onnx'))).toBe(large.toString());
    const [batch] = api.asked('POST', '/acme/models.git/info/lfs/objects/batch');
    expect(batch?.headers.authorization).toBe(`Basic ${Buffer.from('x-access-token:ghs_test').toString('base64')}`);
    expect(batch?.body).toMatchObject({ operation: 'download', objects: [{ oid: largeOid, size: large.length }] });
    const [download] = api.asked('GET', '/objects/1');
    expect(download?.headers.authorization).toBeUndefined();
    expect(download?.headers['x-signed']).toBe('yes');
  });

  test('takes it from the clone when it is there, and asks nobody', async () => {
    const directory = shallow();
    const folder = join(directory, '.git', 'lfs', 'objects', largeOid.slice(0, 2), largeOid.slice(2, 4));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, largeOid), large);
    expect(text(await (await open(directory)).read('models/large.onnx'))).toBe(large.toString());
  });

  test.each([
    ['other bytes of the same length', Buffer.from('x'.repeat(large.length)), /SHA-256/],
    ['more bytes than the pointer names', Buffer.concat([large, large]), /more bytes/],
    ['fewer bytes', large.subarray(1), /bytes instead of/],
  ])('refuses %s', async (_what, content, message) => {
    await using api = await start(content);
    const target = join(place, 'refused.onnx');
    const files = await open(shallow(), { sha: base }, api);
    await expect(files.fetchTo('models/large.onnx', target)).rejects.toThrow(message);
    expect(existsSync(target)).toBe(false);
  });

  test('passes on what the server says, with the fix', async () => {
    await using api = await start(large, true);
    const failed = (await open(shallow(), { sha: base }, api)).read('models/large.onnx');
    await expect(failed).rejects.toThrow(/Object does not exist.*git lfs fetch origin/);
  });

  test('never gives the pointer itself for the file', async () => {
    await expect((await open(shallow())).read('models/large.onnx')).rejects.toThrow(PeerError);
  });
});
