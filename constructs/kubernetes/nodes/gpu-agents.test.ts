import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { gallery } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one, refusalText } from '../fixtures/test-chart.ts';
import { gpuResource } from '../pod/gpu.ts';
import { warningsOf } from '../problem.ts';
import { DcgmExporter } from './dcgm-exporter.ts';
import { GpuDevicePlugin, type GpuDevicePluginProps } from './gpu-device-plugin.ts';
import { TrainingQueue, type TrainingQueueProps } from './training-queue.ts';

const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));
const image = `nvcr.io/nvidia/k8s-device-plugin:v0.17.4@sha256:${'a'.repeat(64)}`;
const plugin = (change: Partial<GpuDevicePluginProps>): readonly Manifest[] =>
  manifestsOf((chart) => new GpuDevicePlugin(chart, 'plugin', { image, ...change }));
const configOf = (manifests: readonly Manifest[]): ReturnType<typeof parse> =>
  parse(one(manifests, 'ConfigMap')['data']['config.yaml']);

describe('the device plugin', () => {
  test('offers shared GPUs under the name that servers ask for, and never two slices to one', () => {
    const { timeSlicing } = configOf(plugin({ timeSlicing: { replicas: 4 } })).sharing;
    expect(timeSlicing).toMatchObject({ renameByDefault: true, failRequestsGreaterThanOne: true });
    expect(timeSlicing.resources.map(({ name }: { name: string }) => `${name}.shared`)).toEqual([
      gpuResource({ shared: true }),
    ]);
  });

  test('offers MIG instances by the profile that servers ask for', () => {
    const config = configOf(
      plugin({ mig: 'mixed', timeSlicing: { replicas: 2, profiles: ['1g.10gb', '1g.10gb+me'] } }),
    );
    expect(config.flags.migStrategy).toBe('mixed');
    expect(config.sharing.timeSlicing.resources.map(({ name }: { name: string }) => name)).toEqual([
      gpuResource({ mig: '1g.10gb' }),
      gpuResource({ mig: '1g.10gb+me' }),
    ]);
  });

  test('restarts with another configuration, since that has another name', () => {
    const [four, eight] = [4, 8].map((replicas) => plugin({ timeSlicing: { replicas } }));
    const mounted = (manifests: readonly Manifest[]): string =>
      one(manifests, 'DaemonSet')['spec'].template.spec.volumes.find(({ name }: { name: string }) => name === 'config')
        .configMap.name;
    expect(mounted(four ?? [])).toBe(one(four ?? [], 'ConfigMap').metadata.name);
    expect(mounted(four ?? [])).not.toBe(mounted(eight ?? []));
  });

  test('has a right over its node only where MIG needs it, and no token', () => {
    const [plain, mig] = [plugin({}), plugin({ mig: 'single' })].map(
      (manifests) => one(manifests, 'DaemonSet')['spec'].template.spec,
    );
    expect(plain.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(mig.containers[0].securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['SYS_ADMIN'] });
    expect(plain.automountServiceAccountToken).toBe(false);
    expect(plain.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(plain.securityContext).toEqual({ seccompProfile: { type: 'RuntimeDefault' } });
  });

  test('reaches nobody over the network, and is reached by nobody', () => {
    const manifests = plugin({});
    const { podSelector, ...rules } = one(manifests, 'NetworkPolicy')['spec'];
    expect(rules).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] });
    expect(podSelector).toEqual(one(manifests, 'DaemonSet')['spec'].selector);
  });

  test.each<[string, Partial<GpuDevicePluginProps>, string]>([
    [
      'sharing with nobody',
      { timeSlicing: { replicas: 1 } },
      'timeSlicing.replicas shares nothing: found 1, expected a whole number from 2. Correct it, or leave timeSlicing out.',
    ],
    [
      'profiles that are not offered',
      { mig: 'single', timeSlicing: { replicas: 2, profiles: ['1g.10gb'] } },
      "timeSlicing.profiles names MIG profiles, which mig 'single' does not offer. Set mig to 'mixed', or leave profiles out.",
    ],
    [
      'profiles that are none',
      { mig: 'mixed', timeSlicing: { replicas: 2, profiles: ['9g.900gb'] } },
      'timeSlicing.profiles has profiles that no GPU has: found 9g.900gb, expected such as 1g.10gb. Correct them.',
    ],
    [
      'an image without a version',
      { image: 'plugin' },
      'image has neither a tag nor a digest, so each pod may run another version: found plugin. Name a version, best with its digest (name:1.2.3@sha256:...), or set allowMutableImage: true.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText((chart) => new GpuDevicePlugin(chart, 'plugin', { image, ...change }))).toBe(
      `GpuDevicePlugin "shop/plugin": ${text}`,
    );
  });

  test('warns of shared GPUs on nodes that Karpenter makes', () => {
    const chart = newChart();
    const nodeSelector = { 'karpenter.sh/nodepool': 'gpu' };
    new GpuDevicePlugin(chart, 'plugin', { image, nodeSelector, timeSlicing: { replicas: 2 } });
    expect(warningsOf(chart).map(({ code }) => code)).toEqual(['slicing-with-karpenter']);
  });
});

describe('the DCGM exporter', () => {
  const container = (change: object): Manifest['spec'] =>
    one(
      manifestsOf((chart) => new DcgmExporter(chart, 'dcgm', { image, ...change })),
      'DaemonSet',
    )['spec'].template.spec.containers[0];

  test('has SYS_ADMIN only to profile', () => {
    expect(container({}).securityContext.capabilities).toEqual({ drop: ['ALL'] });
    expect(container({ profiling: true }).securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['SYS_ADMIN'] });
  });

  test('is limited in what it writes on its node', () => {
    const { requests, limits } = container({}).resources;
    expect([requests['ephemeral-storage'], limits['ephemeral-storage']]).toEqual(['64Mi', '64Mi']);
  });

  test('tells every pod on a shared GPU when asked to', () => {
    const virtual = { name: 'KUBERNETES_VIRTUAL_GPUS', value: 'true' };
    expect(container({}).env).not.toContainEqual(virtual);
    expect(container({ shared: true }).env).toContainEqual(virtual);
  });

  test('is found by its monitor, and reached by nobody else', () => {
    const manifests = drawn('dcgm-exporter');
    const { selector, endpoints } = one(manifests, 'ServiceMonitor')['spec'];
    const service = one(manifests, 'Service');
    expect(service.metadata.labels).toMatchObject(selector.matchLabels);
    expect(service['spec'].ports.map(({ name }: { name: string }) => name)).toEqual([endpoints[0].port]);
    const [rule, ...others] = one(manifests, 'NetworkPolicy')['spec'].ingress;
    expect([rule.from.length, others.length]).toEqual([1, 0]);
  });
});

describe('a queue for trainings', () => {
  const base: TrainingQueueProps = {
    flavors: [{ name: 'spot', nodeLabels: { kind: 'spot' }, gpus: 8, cpu: 96, memory: '768Gi' }],
    namespaces: ['shop'],
  };

  test('names every resource that a training asks for, or Kueue would hold it for ever', () => {
    const [group] = one(drawn('training-queue'), 'ClusterQueue')['spec'].resourceGroups;
    const { template } = one(drawn('pytorch-job'), 'PyTorchJob')['spec'].pytorchReplicaSpecs.Master;
    const asked = Object.keys(template.spec.containers[0].resources.requests);
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.filter((name) => !group.coveredResources.includes(name))).toEqual([]);
    for (const { resources } of group.flavors) {
      expect(resources.map(({ name }: { name: string }) => name)).toEqual(group.coveredResources);
    }
  });

  test('is the one that trainings of its namespaces wait in', () => {
    const queue = one(drawn('training-queue'), 'LocalQueue');
    expect(queue['spec'].clusterQueue).toBe(one(drawn('training-queue'), 'ClusterQueue').metadata.name);
    const job = one(drawn('pytorch-job'), 'PyTorchJob');
    expect(job.metadata.labels?.['kueue.x-k8s.io/queue-name']).toBe(queue.metadata.name);
  });

  test('takes back what it lent only within a cohort', () => {
    const preemption = (change: Partial<TrainingQueueProps>): object =>
      one(
        manifestsOf((chart) => new TrainingQueue(chart, 'queue', { ...base, ...change })),
        'ClusterQueue',
      )['spec'].preemption;
    expect(preemption({})).toEqual({ withinClusterQueue: 'LowerPriority', reclaimWithinCohort: 'Never' });
    expect(preemption({ cohort: 'gpu' })).toMatchObject({ reclaimWithinCohort: 'Any' });
    expect(preemption({ cohort: 'gpu', preempt: false })).toEqual({
      withinClusterQueue: 'Never',
      reclaimWithinCohort: 'Never',
    });
  });

  test('tells everything that is wrong with it at once', () => {
    const flavor = { name: 'spot', nodeLabels: {}, gpus: 1.5, cpu: 1, memory: '1Gi', borrowGpus: 4 } as const;
    const text = refusalText(
      (chart) => new TrainingQueue(chart, 'queue', { flavors: [flavor], namespaces: ['shop', 'shop'] }),
    );
    for (const part of [
      'namespaces has a name twice: found shop, shop. Leave one of them out.',
      'the quota of spot is no number of GPUs, cores and bytes: found 1.5, 1, 1Gi, expected such as 16, 192 and 768Gi.',
      'spot names no nodes, so its quota would be of nodes of any kind.',
      'borrowGpus 4 of spot: there is nobody to borrow from without a cohort',
    ]) {
      expect(text).toContain(part);
    }
  });
});
