import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Chart, Duration } from 'cdk8s';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gallery } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { waitScript } from './completion-hook.ts';
import { PyTorchJob, type PyTorchJobProps } from './pytorch-job.ts';
import { TrainJob } from './train-job.ts';

const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));
const base: PyTorchJobProps = {
  image: 'ranker-train:7',
  model: { name: 'ranker', version: '7' },
  cpu: 4,
  memory: '16Gi',
};
const training =
  (change: Partial<PyTorchJobProps>) =>
  (chart: Chart): PyTorchJob =>
    new PyTorchJob(chart, 'train', { ...base, ...change });

describe('a PyTorchJob', () => {
  test('has a master that trains beside its workers, in containers the operator looks for', () => {
    const { spec } = one(drawn('pytorch-job'), 'PyTorchJob');
    const { Master, Worker } = spec.pytorchReplicaSpecs;
    expect([Master.replicas, Worker.replicas, spec.nprocPerNode]).toEqual([1, 3, '8']);
    for (const { template } of [Master, Worker]) {
      const [container] = template.spec.containers;
      expect(container.name).toBe('pytorch');
      expect(container.resources.limits['nvidia.com/gpu']).toBe('8');
      expect(template.spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    }
  });

  test('in a queue is held until Kueue starts it, and only the job has the label', () => {
    const job = one(drawn('pytorch-job'), 'PyTorchJob');
    expect(job.metadata.labels?.['kueue.x-k8s.io/queue-name']).toBe('training');
    expect(job['spec'].runPolicy.suspend).toBe(true);
    expect(job['spec'].pytorchReplicaSpecs.Master.template.metadata.labels).not.toHaveProperty([
      'kueue.x-k8s.io/queue-name',
    ]);
    expect(one(manifestsOf(training({})), 'PyTorchJob')['spec'].runPolicy).not.toHaveProperty('suspend');
  });

  test('that is elastic has workers only and goes on with fewer', () => {
    const { spec } = one(drawn('pytorch-job-spot'), 'PyTorchJob');
    expect(Object.keys(spec.pytorchReplicaSpecs)).toEqual(['Worker']);
    expect(spec.elasticPolicy).toEqual({ rdzvBackend: 'c10d', minReplicas: 2, maxReplicas: 4, maxRestarts: 100 });
    expect(spec.pytorchReplicaSpecs.Worker.replicas).toBe(4);
  });

  test('on spot nodes keeps its state on a volume that all pods may write', () => {
    const manifests = drawn('pytorch-job-spot');
    const claim = one(manifests, 'PersistentVolumeClaim');
    expect(claim['spec']).toMatchObject({ accessModes: ['ReadWriteMany'], storageClassName: 'efs' });
    const pod = one(manifests, 'PyTorchJob')['spec'].pytorchReplicaSpecs.Worker.template.spec;
    expect(pod.nodeSelector).toEqual({ 'karpenter.sh/capacity-type': 'spot' });
    expect(pod.volumes).toContainEqual({
      name: 'checkpoints',
      persistentVolumeClaim: { claimName: claim.metadata.name },
    });
    expect(pod.containers[0].env).toContainEqual({ name: 'CHECKPOINT_DIR', value: '/checkpoints' });
  });

  test('gives each process its share of the cores', () => {
    const pod = one(drawn('pytorch-job'), 'PyTorchJob')['spec'].pytorchReplicaSpecs.Master.template.spec;
    expect(pod.containers[0].env).toContainEqual({ name: 'OMP_NUM_THREADS', value: '2' });
  });

  test.each<[string, Partial<PyTorchJobProps>, string]>([
    [
      'a queue whose job is not held',
      { queue: 'training', suspend: false },
      'queue training with suspend false: Kueue starts jobs that are held, and this one would start before there is room for it. Leave suspend out, or leave queue out.',
    ],
    [
      'the label of a queue on everything',
      { labels: { 'kueue.x-k8s.io/queue-name': 'training' } },
      'labels has kueue.x-k8s.io/queue-name, which would put pods in the queue beside their job. Set queue instead.',
    ],
    [
      'spot nodes without checkpoints',
      { spot: true },
      'spot nodes may go at any time and there are no checkpoints, so everything trained until then would be lost. Set checkpoints, or leave spot out.',
    ],
    [
      'a grace that no spot node has',
      { spot: true, checkpoints: { claim: 'state' }, terminationGrace: Duration.minutes(5) },
      'terminationGrace 300 s is more than the 120 s a spot node has left, so the last checkpoint would be cut off. Set terminationGrace to at most 120 s, and write checkpoints often enough that a last one is small.',
    ],
    [
      'spot nodes without retries',
      { spot: true, checkpoints: { claim: 'state' }, retries: 0 },
      'spot nodes may go at any time and retries is 0, so the first that goes ends the job. Raise retries, or leave it out.',
    ],
    [
      'a volume of one node for several pods',
      { workers: 3, checkpoints: { size: '10Gi', access: 'ReadWriteOnce' } },
      "checkpoints.access ReadWriteOnce holds the volume on one node, so most of the 4 pods would never start. Set checkpoints.access to 'ReadWriteMany' with a storageClass that can (NFS, EFS, FSx, CephFS), or train in one pod.",
    ],
    [
      'a default class for several pods',
      { workers: 1, checkpoints: { size: '10Gi' } },
      "checkpoints of 2 pods need a volume that several nodes may write, which the cluster's default seldom is: the claim would stay Pending. Set checkpoints.storageClass to one that offers ReadWriteMany (NFS, EFS, FSx, CephFS), or checkpoints.claim to a claim that is there.",
    ],
    [
      'a hook that holds the only volume',
      { checkpoints: { size: '10Gi' }, onCompletion: { image: 'export:1', readsCheckpoints: true } },
      "onCompletion.readsCheckpoints waits with the volume of checkpoints in hand, which only one node at a time may have: the training could not start. Set checkpoints.access to 'ReadWriteMany' with a storageClass that can, or let the hook read what the training exported.",
    ],
    [
      'two ranks on one GPU',
      { gpu: { count: 2 }, processesPerPod: 4 },
      'processesPerPod 4 with 2 GPUs puts two ranks on one, which NCCL refuses. Set processesPerPod to 2, or raise gpu.count.',
    ],
    [
      'slices of GPUs for several pods',
      { gpu: { mig: '1g.10gb', product: 'a100-80gb' }, workers: 1 },
      'gpu.mig with several ranks: NCCL does not run between slices of GPUs. Ask for whole GPUs, or train in one pod with one slice.',
    ],
    [
      'variables of the operator',
      { env: [{ name: 'RANK', value: '0' }] },
      'env sets what the operator or this construct sets, and pods would not find each other: found RANK. Leave it out; name variables of your own otherwise.',
    ],
    [
      'a name that leaves no room for those of its pods',
      { name: `train-${'x'.repeat(50)}` },
      `the name has 56 characters, and its pods, claim and hook are called by more than that: found train-${'x'.repeat(50)}, expected at most 50 characters. Shorten it, or set \`name\`.`,
    ],
    [
      'workers that never suffice',
      { workers: 1, elastic: { min: 2, max: 4 }, checkpoints: { claim: 'state' } },
      'workers 1 is outside of elastic 2 to 4, so the job would never begin. Set workers to between 2 and 4, or leave it out.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(training(change))).toBe(`PyTorchJob "shop/train": ${text}`);
  });

  test('tells everything that is wrong at once', () => {
    const problems = problemsOf(training({ image: 'train', spot: true, queue: 'q', suspend: false, workers: -1 }));
    expect(problems.map(({ code }) => code).toSorted()).toEqual([
      'bad-replicas',
      'mutable-image',
      'queue-without-suspend',
      'spot-without-checkpoints',
    ]);
  });
});

describe('a TrainJob', () => {
  test('patches volumes and rights into the pods of its runtime, and its variables into the trainer', () => {
    const { spec } = one(drawn('train-job'), 'TrainJob');
    const [patch] = spec.runtimePatches;
    const [job] = patch.trainingRuntimeSpec.template.spec.replicatedJobs;
    const pod = job.template.spec.template.spec;
    expect(spec.runtimeRef).toEqual({ name: 'torch-distributed', kind: 'ClusterTrainingRuntime' });
    expect(spec.trainer).toMatchObject({ numNodes: 2, numProcPerNode: 1 });
    expect(spec.trainer.env).toContainEqual({ name: 'CHECKPOINT_DIR', value: '/checkpoints' });
    expect([job.name, pod.containers[0].name]).toEqual(['node', 'node']);
    // Trainer refuses variables there.
    expect(pod.containers[0]).not.toHaveProperty('env');
    expect(spec.suspend).toBe(true);
  });

  test('is held to the same', () => {
    const props = { ...base, nodes: 0, spot: true, queue: 'q', suspend: false };
    const text = refusalText((chart) => new TrainJob(chart, 'train', props));
    expect(text).toContain('TrainJob "shop/train": nodes is no number of pods: found 0');
    expect(text).toContain('there are no checkpoints');
    expect(text).toContain('queue q with suspend false');
  });
});

describe('the network of a training', () => {
  test.each([
    ['pytorch-job', 'PyTorchJob', 'ranker-train-7'],
    ['train-job', 'TrainJob', 'churn-train-4'],
  ])('of %s is its own pods to each other, and anybody to them', (name, kind, job) => {
    const manifests = drawn(name);
    const { podSelector, ...rules } = policyOf(manifests, job);
    expect(rules).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: [{ from: [{ podSelector }] }], egress: [{}] });
    const { pytorchReplicaSpecs, runtimePatches } = one(manifests, kind)['spec'];
    const templates =
      kind === 'PyTorchJob'
        ? [pytorchReplicaSpecs.Master.template, pytorchReplicaSpecs.Worker.template]
        : [runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template];
    for (const { metadata } of templates) expect(metadata.labels).toMatchObject(podSelector.matchLabels);
  });

  test('is left to the platform when asked to', () => {
    const manifests = manifestsOf((chart) => new TrainJob(chart, 'train', { ...base, networkPolicy: false }));
    expect(manifests.map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });
});

function policyOf(manifests: readonly Manifest[], name: string): Manifest['spec'] {
  return manifests.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name)?.['spec'];
}

describe('the hook after a training', () => {
  test('may read its own training and nothing else', () => {
    const manifests = drawn('pytorch-job-spot');
    expect(one(manifests, 'Role')['rules']).toEqual([
      { apiGroups: ['kubeflow.org'], resources: ['pytorchjobs'], resourceNames: ['ranker-train-8'], verbs: ['get'] },
    ]);
    expect(one(drawn('train-job'), 'Role')['rules'][0]).toMatchObject({
      apiGroups: ['trainer.kubeflow.org'],
      resources: ['trainjobs'],
    });
  });

  test('waits with a token that its program does not have', () => {
    const { automountServiceAccountToken, initContainers, containers, volumes } = one(drawn('train-job'), 'Job')['spec']
      .template.spec;
    expect(automountServiceAccountToken).toBe(false);
    const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
    expect(initContainers[0].volumeMounts).toEqual([{ name: 'token', mountPath, readOnly: true }]);
    expect(JSON.stringify(containers)).not.toContain('token');
    const token = volumes.find(({ name }: { readonly name: string }) => name === 'token');
    // The script reads both files.
    expect(JSON.stringify(token)).toMatch(/"path":"token".*"path":"ca\.crt"/);
  });

  test('is asked by nobody, and may ask whom it wants', () => {
    const manifests = drawn('train-job');
    const { podSelector, ...rules } = policyOf(manifests, 'churn-train-4-completion');
    expect(one(manifests, 'Job')['spec'].template.metadata.labels).toMatchObject(podSelector.matchLabels);
    expect(rules).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [{}] });
  });

  test('has a limit to what it writes on its node, logs included', () => {
    const { initContainers, containers } = one(drawn('train-job'), 'Job')['spec'].template.spec;
    const limits = [...initContainers, ...containers].map(({ resources }) => resources.limits['ephemeral-storage']);
    expect(limits).toEqual(['64Mi', '1088Mi']);
  });

  test('reads checkpoints and writes none', () => {
    const [hook] = one(drawn('pytorch-job-spot'), 'Job')['spec'].template.spec.containers;
    expect(hook.volumeMounts).toContainEqual({ name: 'checkpoints', mountPath: '/checkpoints', readOnly: true });
  });

  describe('waits, in a real shell', () => {
    let folder = '';
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-hook-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    /** `answers`: what the API server says, one after the other; empty: it cannot be reached. */
    const wait = async (answers: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
      answers.forEach((answer, index) => {
        writeFileSync(join(folder, `${index}.json`), answer);
      });
      writeFileSync(join(folder, 'count'), '0');
      const curl = `#!/bin/sh
cat >/dev/null
for each; do url="$each"; done
cd ${folder}
echo "$url" >url
n="$(cat count)"; echo $((n + 1)) >count
[ -s "$n.json" ] || exit 7
cat "$n.json"`;
      writeFileSync(join(folder, 'curl'), curl);
      chmodSync(join(folder, 'curl'), 0o755);
      const env = {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        GROUP_VERSION: 'kubeflow.org/v1',
        POD_NAMESPACE: 'shop',
        PLURAL: 'pytorchjobs',
        TRAINING_JOB: 'train',
        SUCCESS: 'Succeeded',
        TRAINING_FAILED: '42',
        PAUSE: '0',
      };
      return promisify(execFile)('/bin/sh', ['-euc', waitScript], { env }).then(
        (ended) => ({ code: 0, ...ended }),
        (error: { code: number; stdout: string; stderr: string }) => error,
      );
    };
    const status = (...conditions: readonly object[]): string => JSON.stringify({ status: { conditions } }, null, 2);
    const running = { type: 'Running', status: 'True', message: '{"type": "Succeeded", "status": "True"}' };

    test('through failed questions and a training that runs, until it has succeeded', async () => {
      const { code, stdout } = await wait([
        '',
        status(running),
        status({ ...running, status: 'False' }, { lastUpdateTime: 'now', status: 'True', type: 'Succeeded' }),
      ]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'train has succeeded\n' });
    });

    test('and ends with the code that is never retried when it has failed', async () => {
      const { code, stderr } = await wait([status({ type: 'Failed', status: 'True', message: 'out of memory' })]);
      expect(code).toBe(42);
      expect(stderr).toContain('train has failed, so nothing is done after it.');
      const rule = one(drawn('pytorch-job-spot'), 'Job')['spec'].podFailurePolicy.rules[0];
      expect(rule.onExitCodes).toEqual({ containerName: 'wait-for-training', operator: 'In', values: [42] });
    });

    test('and takes a condition that no longer holds for none', async () => {
      const { code } = await wait([
        status({ type: 'Failed', status: 'False' }, { type: 'Succeeded', status: 'False' }),
        status({ type: 'Succeeded', status: 'True' }),
      ]);
      expect(code).toBe(0);
    });
  });
});
