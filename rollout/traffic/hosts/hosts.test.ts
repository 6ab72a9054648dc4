import { mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PeerError, SluiceError } from '../../../core/problem/index.ts';
import { trafficConformance } from '../../conformance.ts';
import { TrafficConflict, type TrafficProvider } from '../../traffic-provider.ts';
import { hostWeights } from './hosts.ts';
import { Diary, StandingHosts, type StandingModel } from './standing-hosts.ts';

trafficConformance('hosts', async () => {
  const standing = await StandingHosts.start(3);
  const provider = standing.provider();
  return {
    provider,
    again: async () => standing.provider(),
    serve: async (requests: number) => {
      const served = { baseline: 0, canary: 0 };
      for (let sent = 0; sent < requests; sent++) served[(await standing.ask()) === 'new' ? 'canary' : 'baseline']++;
      return served;
    },
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await standing[Symbol.asyncDispose]();
    },
  };
});

const all = { canaryWeight: 100, mirrorPercent: 0 };
const half = { canaryWeight: 50, mirrorPercent: 0 };

async function problemsOf(happens: Promise<unknown>): Promise<SluiceError['problems']> {
  const error = await happens.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SluiceError) return error.problems;
  throw new Error(`expected a SluiceError, not ${String(error)}`);
}

async function open(hosts: number, model?: StandingModel) {
  const standing = await StandingHosts.start(hosts, model);
  const life = new Diary();
  const provider: TrafficProvider = standing.provider(life.wrap);
  return {
    standing,
    provider,
    life,
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await standing[Symbol.asyncDispose]();
    },
  };
}

test('weights are whole percent, one for each number of hosts, all different up to a hundred', () => {
  expect(hostWeights(3)).toEqual([0, 33, 67, 100]);
  for (let hosts = 1; hosts <= 100; hosts++) expect(new Set(hostWeights(hosts)).size).toBe(hosts + 1);
});

describe('a release over hosts', () => {
  test('takes one host after the other: copied, drained, switched, restarted, well, warmed up, undrained', async () => {
    await using stage = await open(2);
    await stage.provider.move({ record: 'r', traffic: all, after: undefined });
    const order = stage.life.ran.flatMap((line) => {
      const [, host, rest = ''] = /^(web-\d): sh -c (.*)$/s.exec(line) ?? [];
      if (host === undefined) return [];
      const step = /cat > "releases/.test(rest)
        ? 'copy'
        : /mv -T/.test(rest)
          ? 'publish'
          : /"\$1\/running"/.test(rest)
            ? 'restart'
            : /mv -fT/.test(rest)
              ? 'switch'
              : /: > "\$1\/drained"/.test(rest)
                ? 'drain'
                : /rm -f "\$1\/drained"/.test(rest)
                  ? 'undrain'
                  : undefined;
      return step === undefined ? [] : [`${host} ${step}`];
    });
    const steps = ['copy', 'publish', 'drain', 'switch', 'restart', 'undrain'];
    expect(order).toEqual(['web-1', 'web-2'].flatMap((host) => steps.map((step) => `${host} ${step}`)));
    expect(await stage.standing.running()).toEqual(['new', 'new']);
  });

  test('releases no host twice that runs the version, and copies no file that is there', async () => {
    await using stage = await open(2);
    const after = await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    const before = stage.life.ran.length;
    await stage.provider.move({ record: 'r2', traffic: all, after });
    expect(stage.life.ran.slice(before).filter((line) => line.startsWith('web-1') && line.includes('running'))).toEqual(
      [],
    );
  });

  test.each([
    ['that is never well', 'ill', 'was not well within'],
    ['that refuses a warm-up request', 'mute', 'answers a warm-up request'],
  ] as const)('of a model %s ends at the first host, which goes back', async (_what, model, words) => {
    await using stage = await open(3, model);
    const [problem] = await problemsOf(stage.provider.move({ record: 'r', traffic: all, after: undefined }));
    expect(problem).toMatchObject({ code: 'host-failed', message: 'web-1 could not be released; rolled back: web-1' });
    expect(problem.found).toContain(words);
    expect(await stage.standing.running()).toEqual(['old', 'old', 'old']);
    expect(await stage.provider.read()).toMatchObject({ desired: { canaryWeight: 0 }, settled: true });
    for (const host of stage.standing.hosts) expect(await host.drained()).toBe(false);
  });

  test('that fails on a later host takes back every host before it, of earlier steps too, in reverse', async () => {
    await using stage = await open(4);
    const { hosts } = stage.standing;
    const after = await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    await writeFile(join(hosts[3]?.directory ?? '', 'releases', 'v2'), 'in the way');
    const [problem] = await problemsOf(stage.provider.move({ record: 'r2', traffic: all, after }));
    expect(problem).toMatchObject({
      code: 'host-failed',
      message: 'web-4 could not be released; rolled back: web-4, web-3, web-2, web-1',
    });
    expect(await stage.standing.running()).toEqual(['old', 'old', 'old', 'old']);
    const restarts = stage.life.ran.filter((line) => line.includes('/running"')).map((line) => line.slice(0, 5));
    expect(restarts).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'web-3', 'web-2', 'web-1']);
  });

  test('says which host it could not take back, drains it, takes back the others, and does the rest when asked again', async () => {
    await using stage = await open(3);
    const [first, second] = stage.standing.hosts;
    const after = await stage.provider.move({ record: 'r', traffic: { ...all, canaryWeight: 67 }, after: undefined });
    await second?.breakRestart(true);
    await stage.standing.hosts[2]?.breakRestart(true);
    const [problem] = await problemsOf(stage.provider.move({ record: 'r2', traffic: all, after }));
    expect(problem.message).toBe('web-3 could not be released; rolled back: web-1; NOT rolled back: web-3, web-2');
    expect(problem.found).toContain('cannot start web-2');
    expect([await first?.drained(), await second?.drained()]).toEqual([false, true]);
    expect((await stage.provider.read()).settled).toBe(false);
    const revision = (await stage.provider.record())?.revision;
    const back = { record: 'back', traffic: { canaryWeight: 0, mirrorPercent: 0 } };
    const problems = await problemsOf(stage.provider.move({ ...back, after: revision }));
    expect(problems.map(({ code, message }) => `${code} ${message.split(' ')[0]}`)).toEqual([
      'host-not-restored web-3',
      'host-not-restored web-2',
    ]);
    for (const host of stage.standing.hosts) await host.breakRestart(false);
    await stage.provider.move({ ...back, after: (await stage.provider.record())?.revision });
    expect(await stage.standing.running()).toEqual(['old', 'old', 'old']);
    expect(await stage.provider.read()).toMatchObject({ desired: { canaryWeight: 0 }, settled: true });
    for (const host of stage.standing.hosts) expect(await host.drained()).toBe(false);
  });

  test('touches no host when another model has the version already, and that model stays', async () => {
    await using stage = await open(1);
    const [host] = stage.standing.hosts;
    const there = join(host?.directory ?? '', 'releases', 'v2');
    await mkdir(there);
    await writeFile(join(there, 'model.onnx'), 'another');
    const [problem] = await problemsOf(stage.provider.move({ record: 'r', traffic: all, after: undefined }));
    expect(problem).toMatchObject({
      code: 'host-failed',
      found: expect.stringContaining('already has another model as v2'),
    });
    await stage.provider.finish('rolled-back');
    expect(await readFile(join(there, 'model.onnx'), 'utf8')).toBe('another');
  });

  test('says that the model went away while it was copied, and all go back', async () => {
    await using stage = await open(2);
    const after = await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    await rm(stage.standing.model);
    const [problem] = await problemsOf(stage.provider.move({ record: 'r2', traffic: all, after }));
    expect(problem.message).toBe('web-2 could not be released; rolled back: web-2, web-1');
    expect(problem.found).toContain('cannot be read');
  });

  test('makes good what a copy left behind that was cut off', async () => {
    await using stage = await open(1);
    const { directory } = stage.standing.hosts[0] ?? { directory: '' };
    await mkdir(join(directory, 'releases', '.part-v2'), { recursive: true });
    await writeFile(join(directory, 'releases', '.part-v2', 'model.onnx'), 'ne');
    await symlink('releases/v0', join(directory, '.sluice-next'));
    await stage.provider.move({ record: 'r', traffic: all, after: undefined });
    expect(await stage.standing.running()).toEqual(['new']);
    expect((await readdir(join(directory, 'releases'))).toSorted()).toEqual(['v1', 'v2']);
  });

  test('notices a file that arrived changed, and does not switch to it', async () => {
    await using standing = await StandingHosts.start(1);
    await using provider = standing.provider((shell) => ({
      title: shell.title,
      // A line that flips a bit.
      run: (words, options) =>
        shell.run(
          words,
          options?.input !== undefined && 'file' in options.input ? { input: { text: 'nfw' } } : options,
        ),
    }));
    const [problem] = await problemsOf(provider.move({ record: 'r', traffic: all, after: undefined }));
    expect(problem.found).toContain('what arrived on web-1 is not the model');
    expect(await readlink(join(standing.hosts[0]?.directory ?? '', 'current'))).toBe('releases/v1');
    expect(await readdir(join(standing.hosts[0]?.directory ?? '', 'releases'))).toEqual(['v1']);
  });

  test('removes what it brought when it is rolled back, and nothing when it is promoted', async () => {
    await using stage = await open(2);
    const after = await stage.provider.move({ record: 'r', traffic: all, after: undefined });
    await stage.provider.move({ record: 'r', traffic: { canaryWeight: 0, mirrorPercent: 0 }, after });
    await stage.provider.finish('rolled-back');
    for (const { directory } of stage.standing.hosts)
      expect(await readdir(join(directory, 'releases'))).toEqual(['v1']);
    await stage.provider.finish('promoted');
    expect(await stage.standing.running()).toEqual(['new', 'new']);
    for (const { directory } of stage.standing.hosts) {
      expect((await readdir(join(directory, 'releases'))).toSorted()).toEqual(['v1', 'v2']);
    }
  });
});

describe('before anything moves', () => {
  test('a host with a version that nobody named is told, and never touched', async () => {
    await using stage = await open(2);
    const { directory } = stage.standing.hosts[1] ?? { directory: '' };
    await mkdir(join(directory, 'releases', 'v0'));
    await rm(join(directory, 'current'));
    await symlink('releases/v0', join(directory, 'current'));
    expect((await stage.provider.read()).notReady).toBe('web-2 runs v0, which is neither v1 nor v2');
    const [problem] = await problemsOf(stage.provider.move({ record: 'r', traffic: half, after: undefined }));
    expect(problem.message).toBe('web-2 could not be released; no host had to be rolled back');
    await stage.provider.finish('rolled-back');
    expect(await readlink(join(directory, 'current'))).toBe('releases/v0');
  });

  test('a host without a release to go back to, without a folder, or a model file that is not there is told', async () => {
    await using stage = await open(2);
    const [first, second] = stage.standing.hosts;
    await rm(join(first?.directory ?? '', 'releases', 'v1'), { recursive: true });
    expect((await stage.provider.read()).notReady).toBe('web-1 has no releases/v1 to go back to');
    await mkdir(join(first?.directory ?? '', 'releases', 'v1'));
    await rm(join(second?.directory ?? '', 'current'));
    expect((await stage.provider.read()).notReady).toContain('web-2 has no release to begin from');
    await symlink('/srv/elsewhere/releases/v1/', join(second?.directory ?? '', 'current'));
    expect((await stage.provider.read()).notReady).toBeUndefined();
    await rm(stage.standing.model);
    await using next = stage.standing.provider();
    expect((await next.read()).notReady).toBe(
      'the model to release cannot be read (ENOENT: no such file or directory)',
    );
    const [problem] = await problemsOf(next.move({ record: 'r', traffic: half, after: undefined }));
    expect(problem).toMatchObject({ code: 'no-release-file', place: { file: 'models/churn.onnx' } });
  });

  test('a host that cannot be asked is told, and is taken to run what it was told to', async () => {
    await using standing = await StandingHosts.start(2);
    let down = '';
    await using provider = standing.provider((shell, host) => ({
      title: shell.title,
      run: async (words, options) => {
        if (host === down) throw new PeerError({ code: 'host-unreachable', message: `ssh to ${host} failed` });
        return shell.run(words, options);
      },
    }));
    const after = await provider.move({ record: 'r', traffic: half, after: undefined });
    down = 'web-1';
    expect(await provider.read()).toMatchObject({
      desired: half,
      settled: false,
      notReady: expect.stringContaining('ssh to web-1'),
    });
    down = 'web-2';
    expect(await provider.read()).toMatchObject({ desired: half, settled: false });
    // One that is away fails the next step, and all go back.
    const [problem] = await problemsOf(provider.move({ record: 'r2', traffic: all, after }));
    expect(problem.message).toBe('web-2 could not be released; rolled back: web-1');
  });

  test('a server on a released host that is not well any more is told', async () => {
    await using stage = await open(2);
    await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    await writeFile(join(stage.standing.hosts[0]?.directory ?? '', 'running'), 'ill v2');
    expect((await stage.provider.read()).notReady).toBe('web-1: /health answers 503');
  });
});

describe('while hosts are changed', () => {
  test('a command that somebody leaves in the record stops it before the next host', async () => {
    await using standing = await StandingHosts.start(3);
    await using other = standing.provider();
    let commanded = false;
    await using provider = standing.provider((shell, host) => ({
      title: shell.title,
      run: async (words, options) => {
        const ended = await shell.run(words, options);
        if (host === 'web-1' && words.join(' ').includes('/running"') && !commanded) {
          commanded = true;
          await other.move({ record: 'pause, please', after: (await other.record())?.revision });
        }
        return ended;
      },
    }));
    await expect(provider.move({ record: 'r', traffic: all, after: undefined })).rejects.toBeInstanceOf(
      TrafficConflict,
    );
    expect(await standing.running()).toEqual(['new', 'old', 'old']);
    expect((await provider.record())?.text).toBe('pause, please');
    expect(await provider.read()).toMatchObject({ desired: { canaryWeight: 33 }, settled: true });
  });

  test('what is kept and cannot be understood is said, and no host is touched', async () => {
    await using stage = await open(1);
    await stage.provider.move({ record: 'r', after: undefined });
    const folder = join(stage.standing.directory, 'state');
    await writeFile(join(folder, '00000002.json'), '{"version":1,"rec');
    await expect(stage.provider.record()).rejects.toMatchObject({ problems: [{ code: 'broken-record' }] });
    await expect(stage.provider.move({ record: 'r', traffic: all, after: '1' })).rejects.toBeInstanceOf(PeerError);
    expect(await stage.standing.running()).toEqual(['old']);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
});
