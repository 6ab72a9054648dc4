import type { Duration } from 'cdk8s';
import { queueNameLabel } from '../crd/kueue.ts';
import {
  checkLabels,
  checkServiceName,
  type Identity,
  identityFor,
  isLabelValue,
  type Labels,
  labelsOf,
} from '../labels.ts';
import { gpuPlacement, gpuProblems } from '../pod/gpu.ts';
import { checkImage } from '../pod/image.ts';
import { fetchImages } from '../pod/model-fetch.ts';
import type {
  Affinity,
  ContainerSecurityContext,
  EnvVar,
  PodSecurityContext,
  Resources,
  Toleration,
  Volume,
  VolumeMount,
} from '../pod/pod-spec.ts';
import { literal } from '../pod/pod-spec.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { sharedMemoryProblems, sharedMemoryVolume } from '../pod/shared-memory.ts';
import type { Findings } from '../problem.ts';
import { bytesOf, checkCores, checkMemory, coresOf, type Memory, memoryOf } from '../quantity.ts';
import { guaranteed } from '../serving/container-resources.ts';
import { type CheckpointPlan, checkpointPlan, checkpointProblems } from './checkpoints.ts';
import { completionProblems } from './completion-hook.ts';
import type { TrainingProps } from './training-props.ts';

/** What every training's pods and objects have in common. */
export interface TrainingPlan {
  readonly name: string;
  readonly identity: Identity;
  /** Of the pods and of every object. */
  readonly labels: Labels;
  /** Of the job: the queue, too. */
  readonly jobLabels: Labels;
  readonly suspend: boolean | undefined;
  readonly deadlineSeconds: number | undefined;
  readonly processes: number;
  readonly env: readonly EnvVar[];
  readonly resources: Resources;
  readonly checkpoints: CheckpointPlan | undefined;
  readonly pod: {
    readonly securityContext: PodSecurityContext;
    readonly terminationGracePeriodSeconds: number;
    readonly imagePullSecrets: readonly { readonly name: string }[] | undefined;
    readonly nodeSelector: Labels | undefined;
    readonly affinity: Affinity | undefined;
    readonly tolerations: readonly Toleration[] | undefined;
    readonly volumes: readonly Volume[];
  };
  readonly container: {
    readonly securityContext: ContainerSecurityContext;
    readonly volumeMounts: readonly VolumeMount[];
  };
}

/** The notice AWS gives before it takes a spot node; Google Cloud and Azure give 30 seconds. */
const spotNoticeSeconds = 120;
const karpenterSpot: Labels = { 'karpenter.sh/capacity-type': 'spot' };

/** With `-checkpoints` or `-worker-9999` it is still a name of at most 63 characters. */
const longestName = 50;

/** `pods`: how many train together, at most. Adds every problem it finds. */
export function trainingPlan(
  id: string,
  software: string,
  props: TrainingProps,
  pods: number,
  findings: Findings,
): TrainingPlan {
  const { model, gpu, queue, checkpoints, onCompletion, spot = false } = props;
  const name = props.name ?? id;
  const identity = identityFor(model, { name: software, instance: name, component: 'training' });
  const labels = { ...labelsOf(identity), ...props.labels };
  checkServiceName(name, findings);
  findings.demand(name.length <= longestName, () => ({
    code: 'name-too-long',
    message: `the name has ${name.length} characters, and its pods, claim and hook are called by more than that`,
    found: name,
    expected: `at most ${longestName} characters`,
    fix: 'Shorten it, or set `name`.',
  }));
  checkLabels(labels, findings);
  checkQueue(props, findings);
  checkImages(props, findings);
  checkSize(props, pods, findings);

  const processes = props.processesPerPod ?? gpu?.count ?? 1;
  const shared = props.sharedMemory ?? defaultSharedMemory(props.memory, processes);
  const scratch = props.scratch ?? '10Gi';
  checkMemory(shared, 'sharedMemory', findings);
  checkMemory(scratch, 'scratch', findings);
  findings.add(...sharedMemoryProblems(shared, props.memory));
  const grace = props.terminationGrace === undefined ? 90 : seconds(props.terminationGrace);
  checkSpot(props, grace, findings);
  const kept = checkpoints === undefined ? undefined : checkpointPlan(checkpoints, name, pods);
  if (checkpoints !== undefined) findings.add(...checkpointProblems(checkpoints, pods));
  if (onCompletion !== undefined) {
    findings.add(...completionProblems(onCompletion, kept, props.allowMutableImage === true));
  }

  const placement = gpu === undefined ? undefined : gpuPlacement(gpu);
  const spotLabels = spot === false ? {} : spot === true ? karpenterSpot : spot;
  const nodeSelector = { ...placement?.nodeSelector, ...spotLabels, ...props.nodeSelector };
  const tolerations = [...(placement?.tolerations ?? []), ...(props.tolerations ?? [])];
  const memory = sharedMemoryVolume(shared);
  return {
    name,
    identity,
    labels,
    jobLabels: queue === undefined ? labels : { ...labels, [queueNameLabel]: queue },
    suspend: props.suspend ?? (queue === undefined ? undefined : true),
    deadlineSeconds: props.deadline === undefined ? undefined : seconds(props.deadline),
    processes,
    env: envOf(props, processes, kept),
    resources: withDisk(guaranteed(props), scratch),
    checkpoints: kept,
    pod: {
      securityContext: podSecurity(props.runAs ?? { user: 1000, group: 1000 }),
      terminationGracePeriodSeconds: grace,
      imagePullSecrets: props.imagePullSecrets?.map((secret) => ({ name: secret })),
      nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector,
      affinity: placement?.affinity,
      tolerations: tolerations.length === 0 ? undefined : tolerations,
      volumes: [
        { name: 'tmp', emptyDir: { sizeLimit: scratch } },
        memory.volume,
        ...(kept === undefined ? [] : [kept.volume]),
      ],
    },
    container: {
      securityContext: containerSecurity,
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, memory.mount, ...(kept === undefined ? [] : [kept.mount])],
    },
  };
}

const seconds = (duration: Duration): number => Math.ceil(duration.toSeconds({ integral: false }));

function defaultSharedMemory(memory: Memory, processes: number): Memory {
  const quarter = (bytesOf(memory) ?? Number.POSITIVE_INFINITY) / 4;
  return memoryOf(Math.floor(Math.min(Math.max(1, processes) * 2 * 2 ** 30, quarter)));
}

function withDisk({ requests, limits }: Resources, scratch: Memory): Resources {
  // What is on the node's disk counts, and a little for logs.
  const disk = { 'ephemeral-storage': memoryOf((bytesOf(scratch) ?? 0) + 2 ** 30) };
  return { requests: { ...requests, ...disk }, limits: { ...limits, ...disk } };
}

function envOf(
  { model, cpu, env = [] }: TrainingProps,
  processes: number,
  kept: CheckpointPlan | undefined,
): readonly EnvVar[] {
  const value = (name: string, text: string): EnvVar => ({ name, value: literal(text) });
  return [
    value('MODEL_NAME', model.name),
    value('MODEL_VERSION', model.version),
    ...(kept === undefined ? [] : [value('CHECKPOINT_DIR', kept.path)]),
    value('HOME', '/tmp'),
    // Without it torchrun gives each process one thread, and says so at every start.
    value('OMP_NUM_THREADS', String(Math.max(1, Math.floor((coresOf(cpu) ?? 1) / Math.max(1, processes))))),
    value('NCCL_DEBUG', 'WARN'),
    ...env,
  ];
}

/** What the operator and torchrun set in every pod. */
const reserved =
  /^(?:MASTER_ADDR|MASTER_PORT|WORLD_SIZE|RANK|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_RANK|PET_.*|CHECKPOINT_DIR|MODEL_NAME|MODEL_VERSION)$/;

function checkQueue({ queue, suspend, labels = {}, env = [] }: TrainingProps, findings: Findings): void {
  findings.demand(queue === undefined || suspend !== false, () => ({
    code: 'queue-without-suspend',
    message: `queue ${queue} with suspend false: Kueue starts jobs that are held, and this one would start before there is room for it`,
    fix: 'Leave suspend out, or leave queue out.',
  }));
  findings.demand(queue === undefined || (queue !== '' && isLabelValue(queue)), () => ({
    code: 'bad-queue',
    message: 'queue is no name of a LocalQueue',
    found: String(queue),
    fix: 'Write the name of a LocalQueue of the namespace.',
  }));
  findings.demand(!(queueNameLabel in labels), () => ({
    code: 'queue-as-label',
    message: `labels has ${queueNameLabel}, which would put pods in the queue beside their job`,
    fix: 'Set queue instead.',
  }));
  const taken = env.map(({ name }) => name).filter((name) => reserved.test(name));
  findings.demand(taken.length === 0, () => ({
    code: 'reserved-variable',
    message: 'env sets what the operator or this construct sets, and pods would not find each other',
    found: taken.join(', '),
    fix: 'Leave it out; name variables of your own otherwise.',
  }));
}

function checkImages(props: TrainingProps, findings: Findings): void {
  const { onCompletion } = props;
  checkImage(props, findings, {
    beside: onCompletion === undefined ? [] : [onCompletion.image, onCompletion.waitImage ?? fetchImages.http],
    message: 'what these images are may change under the same name, and with them what a restarted pod trains',
  });
}

function checkSize(
  { cpu, memory, gpu, processesPerPod, deadline }: TrainingProps,
  pods: number,
  findings: Findings,
): void {
  checkMemory(memory, 'memory', findings);
  checkCores(cpu, 'cpu', findings);
  findings.demand(deadline === undefined || seconds(deadline) > 0, () => ({
    code: 'no-time',
    message: 'deadline ends the job before it begins',
    fix: 'Raise it, or leave it out.',
  }));
  findings.demand(processesPerPod === undefined || (Number.isInteger(processesPerPod) && processesPerPod > 0), () => ({
    code: 'bad-processes',
    message: 'processesPerPod is no number of processes',
    found: String(processesPerPod),
    expected: 'a whole number from 1',
    fix: 'Correct it, or leave it out.',
  }));
  if (gpu === undefined) return;
  findings.add(...gpuProblems(gpu));
  const gpus = gpu.count ?? 1;
  findings.demand((processesPerPod ?? gpus) <= gpus, () => ({
    code: 'processes-share-gpu',
    message: `processesPerPod ${processesPerPod} with ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'} puts two ranks on one, which NCCL refuses`,
    fix: `Set processesPerPod to ${gpus}, or raise gpu.count.`,
  }));
  const sliced = gpu.shared === true || gpu.mig !== undefined;
  findings.demand(!sliced || (pods === 1 && gpus === 1), () => ({
    code: 'sliced-training',
    message: `gpu.${gpu.shared === true ? 'shared' : 'mig'} with several ranks: NCCL does not run between slices of GPUs`,
    fix: 'Ask for whole GPUs, or train in one pod with one slice.',
  }));
}

function checkSpot({ spot = false, checkpoints }: TrainingProps, grace: number, findings: Findings): void {
  if (spot === false) return;
  findings.demand(checkpoints !== undefined, () => ({
    code: 'spot-without-checkpoints',
    message:
      'spot nodes may go at any time and there are no checkpoints, so everything trained until then would be lost',
    fix: 'Set checkpoints, or leave spot out.',
  }));
  findings.demand(grace <= spotNoticeSeconds, () => ({
    code: 'grace-over-notice',
    message: `terminationGrace ${grace} s is more than the ${spotNoticeSeconds} s a spot node has left, so the last checkpoint would be cut off`,
    fix: `Set terminationGrace to at most ${spotNoticeSeconds} s, and write checkpoints often enough that a last one is small.`,
  }));
  findings.demand(spot === true || Object.keys(spot).length > 0, () => ({
    code: 'no-spot-labels',
    message: 'spot has no labels, so the pods could run on any node',
    fix: "Set spot to true for Karpenter's nodes, or to the labels of yours.",
  }));
}
