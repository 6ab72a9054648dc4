/** Models from claims, and what happens to any model between its arrival and the server: verified, put in place, refused, interrupted. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MlflowModelDeployment, TritonDeployment } from '../../constructs/kubernetes/index.ts';
import type { PodSpec } from '../../constructs/kubernetes/pod/pod-spec.ts';
import type { Kill } from './container.ts';
import {
  content,
  type FetchingPods,
  fetchingPods,
  filesOf,
  onnxPod,
  pinnedImages,
  podOf,
  served,
  servedFiles,
  sha256,
} from './fetching-pod.ts';

let pods: FetchingPods;
/** The folder that the claim `models` is. */
let claim: string;

beforeAll(async () => {
  pods = await fetchingPods();
  claim = mkdtempSync(join(tmpdir(), 'sluice-claim-'));
}, 600_000);

afterAll(() => {
  pods?.[Symbol.dispose]();
  rmSync(claim, { recursive: true, force: true });
});

function onClaim(path: string, data: Buffer): { readonly uri: string; readonly sha256: string } {
  mkdirSync(join(claim, path, '..'), { recursive: true });
  writeFileSync(join(claim, path), data);
  return { uri: `pvc://models/${path}`, sha256: sha256(data) };
}

const start = (pod: PodSpec, configMaps: Readonly<Record<string, Readonly<Record<string, string>>>> = {}) =>
  pods.start(pod, { claims: { models: claim }, configMaps });

/** Files as a tar of the MLflow kind. */
function archived(files: Readonly<Record<string, Buffer>>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-archive-'));
  try {
    for (const [path, data] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), data);
    }
    return execFileSync('tar', ['-czf', '-', '-C', folder, '.'], { maxBuffer: 2 ** 30 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the containers run here', () => {
  test('have the user and the mounts of the pod, a root that nobody writes, and no rights', async () => {
    const file = onClaim('a/model.onnx', content(10));
    const rendered = onnxPod(file);
    const probe = `id -u; id -g; for each in /x /bin/x /etc/x /claim/x /models/x /tmp/x; do touch $each || echo "not $each"; done; grep CapEff /proc/self/status`;
    using pod = await start({
      ...rendered,
      initContainers: (rendered.initContainers ?? []).map((each) => ({ ...each, command: ['/bin/sh', '-c', probe] })),
    });
    const { log } = await pod.run('fetch-model');
    expect(log.match(/^65532$/gm)).toHaveLength(2);
    expect(log.match(/^not .*$/gm)).toEqual(['not /x', 'not /bin/x', 'not /etc/x', 'not /claim/x']);
    expect(log).toMatch(/CapEff:\s*0{16}/);
  });
});

describe('a model on a claim', () => {
  test.each(['churn/3/model.onnx', '-rf', '--/=@+', '..a/...', '.hidden'])(
    'as %s is served when it is the one that was released, and nothing else is in the folder',
    async (path) => {
      const file = onClaim(`named/${path}`, content(100_000));
      using pod = await start(onnxPod(file));
      const { code, message } = await pod.runAll();
      expect({ code, message, files: filesOf(pod) }).toMatchObject({ code: 0, files: { [served]: file.sha256 } });
      expect(readdirSync(pod.folder('model'))).toEqual(['churn']);
      expect(readdirSync(pod.folder('fetch-tmp'))).toEqual([]);
      expect(statSync(join(pod.folder('model'), served)).mode & 0o444).toBe(0o444);
    },
  );

  test("that is not there, or a folder, or nobody's to read is said in one line", async () => {
    mkdirSync(join(claim, 'folder'), { recursive: true });
    onClaim('locked', content(10));
    chmodSync(join(claim, 'locked'), 0);
    for (const path of ['gone', 'folder', 'locked']) {
      using pod = await start(onnxPod({ uri: `pvc://models/${path}`, sha256: 'a'.repeat(64) }));
      const { code, message } = await pod.runAll();
      expect({ code, files: servedFiles(pod) }).toEqual({ code: 1, files: {} });
      expect(message.split('\n').at(-1)).toBe(
        `${served} could not be fetched from pvc://models/${path}: it is no file that can be read there.`,
      );
    }
  });
});

describe('a model that is not the one that was released', () => {
  test('ends the start with one line that says which, and what was expected; so does every further try', async () => {
    const good = onClaim('good.bin', content(1000));
    const bad = onClaim('bad.bin', content(1000));
    const expected = sha256(Buffer.from('released'));
    using pod = await start(onnxPod(good, [{ ...bad, sha256: expected }]));
    const line = `churn/3/bad.bin is not the model that was released: its SHA-256 is ${bad.sha256}, expected ${expected}.`;
    const first = await pod.runAll();
    expect({ code: first.code, files: servedFiles(pod) }).toEqual({ code: 1, files: {} });
    expect(first.message.split('\n').at(-1)).toContain(line);
    // Kubernetes starts this container anew, and none of those before it.
    for (const _ of [1, 2]) {
      const again = await pod.run('verify-model');
      expect({ code: again.code, files: servedFiles(pod) }).toEqual({ code: 1, files: {} });
      expect(again.message).toContain(line);
      expect(again.message.split('\n')).toHaveLength(1);
    }
    expect(Object.keys(filesOf(pod))).toEqual(['.incoming/placing/refused']);
  });

  test('is served once it is, where everything is fetched anew', async () => {
    const bad = onClaim('mended.onnx', content(1000));
    const data = content(1000);
    using pod = await start(onnxPod({ ...bad, sha256: sha256(data) }));
    expect((await pod.runAll()).code).toBe(1);
    onClaim('mended.onnx', data);
    expect((await pod.runAll()).code).toBe(0);
    expect(filesOf(pod)).toEqual({ [served]: sha256(data) });
  });
});

/** Pods with everything that can be put in a place: files side by side, an archive, files from a ConfigMap, empty folders. */
const large = content(8_000_000);
const cases: readonly {
  readonly name: string;
  readonly pod: () => PodSpec;
  readonly configMaps?: (pod: PodSpec) => Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly files: Readonly<Record<string, string>>;
}[] = (() => {
  const weights = content(5_000_000);
  const nested = content(2_000_000);
  const config = 'name: "ranker"\n';
  const archive = archived({
    MLmodel: Buffer.from('flavors: {}\n'),
    'data/model.onnx': large,
    'data/weights.bin': nested,
  });
  return [
    {
      name: 'a model and its weights',
      pod: () => onnxPod(onClaim('m.onnx', large), [onClaim('w.bin', weights), onClaim('x.bin', nested)]),
      files: { [served]: sha256(large), 'churn/3/w.bin': sha256(weights), 'churn/3/x.bin': sha256(nested) },
    },
    {
      name: 'an archive',
      pod: () => {
        const file = onClaim('model.tar.gz', archive);
        return podOf((chart) => {
          new MlflowModelDeployment(chart, 'fraud', {
            image: `registry.example.com/fraud:5@sha256:${'a'.repeat(64)}`,
            model: { name: 'fraud', version: '5' },
            archive: file,
            cpu: 1,
            memory: '1Gi',
            fetchImages: pinnedImages,
          });
        });
      },
      files: {
        'model/MLmodel': sha256(Buffer.from('flavors: {}\n')),
        'model/data/model.onnx': sha256(large),
        'model/data/weights.bin': sha256(nested),
      },
    },
    {
      name: 'a repository with written configuration',
      pod: () => {
        const file = onClaim('ranker.onnx', large);
        return podOf((chart) => {
          new TritonDeployment(chart, 'ranker', {
            image: `nvcr.io/nvidia/tritonserver:25.08-py3@sha256:${'a'.repeat(64)}`,
            model: { name: 'ranker', version: '2' },
            models: [
              {
                name: 'ranker',
                backend: 'onnxruntime',
                maxBatchSize: 8,
                inputs: [{ name: 'x', type: 'FP32', dims: [4] }],
                outputs: [{ name: 'y', type: 'FP32', dims: [1] }],
                versions: [{ version: 2, file }],
              },
            ],
            cpu: 1,
            memory: '1Gi',
            fetchImages: pinnedImages,
          });
        });
      },
      configMaps: (pod) => {
        const volume = pod.volumes?.find(({ name }) => name === 'model-files');
        if (volume === undefined || !('configMap' in volume)) throw new Error('Nothing is written.');
        const written = pod.initContainers?.at(-1)?.env?.find(({ name }) => name === 'WRITTEN')?.value ?? '';
        return {
          [volume.configMap.name]: Object.fromEntries(written.split('\n').map((each) => [each.split(' ')[0], config])),
        };
      },
      files: { 'ranker/2/model.onnx': sha256(large), 'ranker/config.pbtxt': sha256(Buffer.from(config)) },
    },
  ];
})();

describe.each(cases)('verifying $name', ({ pod: rendered, configMaps, files }) => {
  test('puts it in its place, and finds it there when it is run again', async () => {
    const spec = rendered();
    using pod = await start(spec, configMaps?.(spec));
    const { code, message } = await pod.runAll();
    expect({ code, message, files: filesOf(pod) }).toMatchObject({ code: 0, files });
    expect((await pod.run('verify-model')).code).toBe(0);
    expect(filesOf(pod)).toEqual(files);
    // As after a node was started anew: the volume is still there, and all init containers run.
    expect((await pod.runAll()).code).toBe(0);
    expect(filesOf(pod)).toEqual(files);
  });

  test('may be killed at any time: nothing is served that was not released, and the next run ends well', async () => {
    const spec = rendered();
    using fetched = await start(spec, configMaps?.(spec));
    for (const { name } of spec.initContainers?.slice(0, -1) ?? []) expect((await fetched.run(name)).code).toBe(0);
    using timed = await start(spec, configMaps?.(spec));
    cpSync(fetched.folder('model'), timed.folder('model'), { recursive: true });
    const begin = performance.now();
    const { log } = await timed.run('verify-model');
    const length = performance.now() - begin;
    // Half of the time anywhere, half of it while files are put in their places.
    const verified = log.trimEnd().split('\n').at(-1) ?? '';
    const chance = (): Kill =>
      Math.random() < 0.5
        ? { said: '', after: Math.random() * length }
        : { said: verified, after: Math.random() * Math.min(40, length / 2) };

    let killed = 0;
    let halfway = 0;
    // Placing two files takes milliseconds: twenty kills may all miss them.
    for (let round = 0; killed < 20 || halfway === 0; round++) {
      expect(round).toBeLessThan(200);
      using pod = await start(spec, configMaps?.(spec));
      cpSync(fetched.folder('model'), pod.folder('model'), { recursive: true });
      for (let run = 0, code = 137; code !== 0; run++) {
        code = (await pod.run('verify-model', run === 0 || Math.random() < 0.3 ? chance() : undefined)).code;
        expect([0, 137]).toContain(code);
        for (const [path, digest] of Object.entries(servedFiles(pod)))
          expect([path, digest]).toEqual([path, files[path]]);
        if (code === 137) killed++;
        if (code === 137 && Object.keys(filesOf(pod)).some((path) => path.includes('/placing/'))) halfway++;
      }
      expect(filesOf(pod)).toEqual(files);
      expect(readdirSync(pod.folder('model')).filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });
});
