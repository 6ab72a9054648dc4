import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import {
  type ClusterQueueSpec,
  clusterQueue,
  localQueue,
  type ResourceFlavorSpec,
  resourceFlavor,
} from '../crd/kueue.ts';
import { checkServiceName, type Labels, labelsOf } from '../labels.ts';
import { gpuTaintKey } from '../pod/gpu.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';

/** Nodes of one kind, and how much of them the queue may use at the same time. */
export interface QueueFlavor {
  /** Unique in the cluster: `a10g-spot`. */
  readonly name: string;
  /** Labels of the nodes: `{ 'karpenter.sh/capacity-type': 'spot' }`. Pods that are let in run on these. */
  readonly nodeLabels: Labels;
  readonly gpus: number;
  /** Cores. */
  readonly cpu: number;
  readonly memory: Memory;
  /**
   * Of the nodes' disks. Trainings ask for some, and Kueue lets nothing in that asks for what the queue does not name.
   * @default 1000Ti, which bounds nothing
   */
  readonly disk?: Memory;
  /** GPUs it may borrow from others of its cohort beyond `gpus`. @default all that are free */
  readonly borrowGpus?: number;
}

export interface TrainingQueueProps {
  /** Tried in this order: the cheap ones first. */
  readonly flavors: readonly [QueueFlavor, ...QueueFlavor[]];
  /** Whose trainings may wait here; each gets a LocalQueue. */
  readonly namespaces: readonly [string, ...string[]];
  /** What trainings of these namespaces write as `queue`. @default 'training' */
  readonly localQueue?: string;
  /** Queues of one cohort lend each other what they do not use. @default none */
  readonly cohort?: string;
  /**
   * `strict`: nobody overtakes, so a large job is never starved. `best-effort`: small ones go where the large one does not fit yet.
   * @default 'best-effort'
   */
  readonly order?: 'strict' | 'best-effort';
  /**
   * A job of higher priority may stop one of lower priority, which then starts again from its checkpoints.
   * @default true
   */
  readonly preempt?: boolean;
}

/**
 * A Kueue queue for trainings: all pods of a job start together within the quota, or the job waits. A ClusterQueue, a ResourceFlavor for each
 * kind of nodes and a LocalQueue in each namespace.
 */
export class TrainingQueue extends Construct {
  readonly clusterQueue: CustomResource<ClusterQueueSpec>;
  readonly flavors: readonly CustomResource<ResourceFlavorSpec>[];
  readonly localQueues: readonly CustomResource<{ readonly clusterQueue: string }>[];
  /** For `queue` of a training. */
  readonly queue: string;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: TrainingQueueProps) {
    super(scope, id);
    const { flavors, namespaces, cohort, order = 'best-effort', preempt = true } = props;
    this.queue = props.localQueue ?? 'training';
    const findings = new Findings(this, 'TrainingQueue');
    check(id, this.queue, props, findings);
    findings.throwIfAny();
    const labels = labelsOf({ name: 'kueue', instance: id, component: 'training-queue' });
    this.flavors = flavors.map(
      ({ name, nodeLabels }) =>
        new CustomResource(this, `flavor-${name}`, resourceFlavor, {
          metadata: { name, labels },
          // Pods get this toleration with the nodes, so a job without a GPU of its own may train there, too.
          spec: { nodeLabels, tolerations: [{ key: gpuTaintKey, operator: 'Exists', effect: 'NoSchedule' }] },
        }),
    );
    this.clusterQueue = new CustomResource(this, 'cluster-queue', clusterQueue, {
      metadata: { name: id, labels },
      spec: {
        cohortName: cohort,
        queueingStrategy: order === 'strict' ? 'StrictFIFO' : 'BestEffortFIFO',
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }],
        },
        preemption: {
          withinClusterQueue: preempt ? 'LowerPriority' : 'Never',
          // What was lent comes back when its owner needs it.
          reclaimWithinCohort: cohort === undefined || !preempt ? 'Never' : 'Any',
        },
        resourceGroups: [
          {
            coveredResources: ['cpu', 'memory', 'ephemeral-storage', 'nvidia.com/gpu'],
            // In the order of the resources above, as Kueue wants it.
            flavors: flavors.map(({ name, cpu, memory, disk = '1000Ti', gpus, borrowGpus }) => ({
              name,
              resources: [
                { name: 'cpu', nominalQuota: String(cpu) },
                { name: 'memory', nominalQuota: memory },
                { name: 'ephemeral-storage', nominalQuota: disk },
                {
                  name: 'nvidia.com/gpu',
                  nominalQuota: String(gpus),
                  borrowingLimit: borrowGpus === undefined ? undefined : String(borrowGpus),
                },
              ],
            })),
          },
        ],
      },
    });
    this.localQueues = namespaces.map(
      (namespace) =>
        new CustomResource(this, `local-queue-${namespace}`, localQueue, {
          metadata: { name: this.queue, namespace, labels },
          spec: { clusterQueue: id },
        }),
    );
  }
}

function check(id: string, queue: string, props: TrainingQueueProps, findings: Findings): void {
  const { flavors, namespaces, cohort } = props;
  checkServiceName(id, findings);
  checkServiceName(queue, findings);
  for (const [prop, names] of [
    ['flavors', flavors.map(({ name }) => name)],
    ['namespaces', namespaces],
  ] as const) {
    findings.demand(new Set(names).size === names.length, () => ({
      code: 'not-unique',
      message: `${prop} has a name twice`,
      found: names.join(', '),
      fix: 'Leave one of them out.',
    }));
    findings.demand(names.length > 0 && names.length <= 64, () => ({
      code: 'bad-count',
      message: `${prop} has ${names.length} names, and Kueue takes 1 to 64`,
      fix: 'Make several queues of one cohort.',
    }));
    for (const name of names) checkServiceName(name, findings);
  }
  const whole = (count: number): boolean => Number.isInteger(count) && count >= 0;
  for (const { name, nodeLabels, gpus, cpu, memory, disk, borrowGpus } of flavors) {
    findings.demand(whole(gpus) && cpu > 0 && bytesOf(memory) !== undefined, () => ({
      code: 'bad-quota',
      message: `the quota of ${name} is no number of GPUs, cores and bytes`,
      found: `${gpus}, ${cpu}, ${memory}`,
      expected: 'such as 16, 192 and 768Gi',
      fix: 'Correct it.',
    }));
    findings.demand(disk === undefined || bytesOf(disk) !== undefined, () => ({
      code: 'bad-quota',
      message: `disk of ${name} is no number of bytes`,
      found: String(disk),
      fix: 'Correct it, or leave it out.',
    }));
    findings.demand(Object.keys(nodeLabels).length > 0, () => ({
      code: 'no-node-labels',
      message: `${name} names no nodes, so its quota would be of nodes of any kind`,
      fix: "Give the labels of its nodes, such as { 'karpenter.sh/capacity-type': 'spot' }.",
    }));
    findings.demand(borrowGpus === undefined || (whole(borrowGpus) && cohort !== undefined), () => ({
      code: 'borrow-without-cohort',
      message: `borrowGpus ${borrowGpus} of ${name}: there is nobody to borrow from without a cohort, or it is no number of GPUs`,
      fix: 'Set cohort, or leave borrowGpus out.',
    }));
  }
}
