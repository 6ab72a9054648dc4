import type { Duration } from 'cdk8s';
import type { Labels } from '../labels.ts';
import type {
  DeploymentBody,
  NetworkPolicyBody,
  NetworkPort,
  PodDisruptionBudgetBody,
  ServiceBody,
} from '../native.ts';
import { drainPlan, drainProblems, sleepBeforeStop } from '../pod/drain.ts';
import { gpuPlacement, gpuProblems } from '../pod/gpu.ts';
import { checkImage } from '../pod/image.ts';
import { digestFix, egressTo } from '../pod/model-fetch.ts';
import type { Container, PodSpec, Resources, Volume, VolumeMount } from '../pod/pod-spec.ts';
import { probesFor, startupBudget } from '../pod/probes.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { sharedMemoryProblems, sharedMemoryVolume } from '../pod/shared-memory.ts';
import { spreadOver } from '../pod/spread.ts';
import type { Findings } from '../problem.ts';
import { bytesOf, type Cpu, checkCores, checkMemory, coresOf, cpuText, type Memory, memoryOf } from '../quantity.ts';
import { defaultClients, defaultScrapers } from './peers.ts';
import type { ServerProgram } from './server-program.ts';
import type { Amount, Replicas, WorkloadProps } from './serving-props.ts';

/** The bodies of a model server's objects. */
export interface ServingPlan {
  readonly replicas: Replicas;
  readonly deployment: DeploymentBody;
  readonly service: ServiceBody;
  readonly podDisruptionBudget?: PodDisruptionBudgetBody;
  readonly networkPolicy?: NetworkPolicyBody;
}

interface Names {
  readonly name: string;
  readonly labels: Labels;
  readonly selector: Labels;
}

/** What of a program and props becomes which object. Adds every problem it finds. */
export function servingPlan(
  server: ServerProgram,
  props: WorkloadProps,
  names: Names,
  findings: Findings,
): ServingPlan {
  findings.add(...(server.problems ?? []), ...(server.fetch?.problems ?? []));
  for (const warning of server.warnings ?? []) findings.warn(warning);
  const replicas = props.replicas ?? 2;
  checkReplicas(replicas, findings);
  const times = startTimes(server, props, findings);
  const pod = podOf(server, props, names, times.startupBudget, findings);
  const budget = disruptionBudget(props, replicas, names.selector, findings);
  const policy = props.networkPolicy === false ? undefined : policyOf(server, props, names.selector);
  return {
    replicas,
    deployment: {
      spec: {
        replicas: typeof replicas === 'number' ? replicas : undefined,
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: times.progressDeadline,
        minReadySeconds,
        strategy: { type: 'RollingUpdate', rollingUpdate: updateOf(props, replicas, findings) },
        selector: { matchLabels: names.selector },
        template: {
          metadata: {
            labels: names.labels,
            annotations: { 'kubectl.kubernetes.io/default-container': 'server', ...props.podAnnotations },
          },
          spec: pod,
        },
      },
    },
    service: {
      spec: {
        type: 'ClusterIP',
        selector: names.selector,
        ports: server.ports.map(({ name, port, appProtocol }) => ({ name, port, targetPort: name, appProtocol })),
      },
    },
    ...(budget === undefined ? {} : { podDisruptionBudget: budget }),
    ...(policy === undefined ? {} : { networkPolicy: policy }),
  };
}

/** The fewest pods there are outside of updates. */
export function leastReplicas(replicas: Replicas): number {
  return typeof replicas === 'number' ? replicas : replicas.min;
}

function checkReplicas(replicas: Replicas, findings: Findings): void {
  const counts = typeof replicas === 'number' ? [replicas] : [replicas.min, replicas.max];
  const whole = counts.every((count) => Number.isInteger(count) && count >= 0);
  findings.demand(whole && (counts[0] ?? 0) <= (counts[1] ?? Number.POSITIVE_INFINITY), () => ({
    code: 'bad-replicas',
    message: 'replicas are no whole numbers, or min is more than max',
    found: counts.join(' to '),
    fix: 'Set replicas to a whole number, or to { min, max }.',
  }));
}

/** One more look of the readiness probe, so that a server that dies on its first request is not taken for a good one. */
const minReadySeconds = 10;

const seconds = (duration: Duration): number => Math.ceil(duration.toSeconds({ integral: false }));

/** How long a start may take, in seconds. */
function startTimes(
  server: ServerProgram,
  { startup = {}, gpu }: WorkloadProps,
  findings: Findings,
): { readonly startupBudget: number; readonly progressDeadline: number } {
  const load = startup.load === undefined ? 120 : seconds(startup.load);
  const fetches = server.fetch !== undefined || server.fetchesItself === true;
  const fetch = startup.fetch !== undefined ? seconds(startup.fetch) : fetches ? 300 : 0;
  const schedule = startup.schedule !== undefined ? seconds(startup.schedule) : gpu === undefined ? 300 : 900;
  findings.demand(load > 0, () => ({
    code: 'no-load-budget',
    message: 'startup.load gives the server no time to start',
    fix: 'Set it to what the slowest load took, twice.',
  }));
  const wanted = load + (server.fetchesItself === true ? fetch : 0);
  const granted = startupBudget(probesFor(server.health, wanted));
  // Init containers are no part of the startup probe's time, and all of it is part of the rollout's.
  const needed = granted + (server.fetchesItself === true ? 0 : fetch) + schedule;
  const progressDeadline =
    startup.progressDeadline === undefined ? Math.max(600, needed + 60) : seconds(startup.progressDeadline);
  findings.demand(progressDeadline > needed, () => ({
    code: 'deadline-before-start',
    message: `startup.progressDeadline ${progressDeadline} s is not more than scheduling ${schedule} s, fetching ${fetch} s and loading ${load} s together, so a slow start would count as a failed rollout`,
    fix: `Raise startup.progressDeadline to more than ${needed} s, or leave it out.`,
  }));
  findings.demand(progressDeadline > minReadySeconds, () => ({
    code: 'deadline-before-available',
    message: `startup.progressDeadline ${progressDeadline} s is not more than the ${minReadySeconds} s for which a new pod has to stay ready, which Kubernetes refuses`,
    fix: `Raise startup.progressDeadline to more than ${minReadySeconds} s, or leave it out.`,
  }));
  return { startupBudget: wanted, progressDeadline };
}

function updateOf(
  { update = { maxSurge: 1, maxUnavailable: 0 } }: WorkloadProps,
  replicas: Replicas,
  findings: Findings,
): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const { maxSurge, maxUnavailable } = update;
  findings.demand(maxSurge + maxUnavailable > 0, () => ({
    code: 'update-stands-still',
    message: 'update.maxSurge 0 and update.maxUnavailable 0 leave no pod to be updated',
    fix: 'Set update.maxSurge to 1, or, where there is no room for one more pod, update.maxUnavailable to 1.',
  }));
  const least = leastReplicas(replicas);
  findings.demand(maxUnavailable < least || least === 0, () => ({
    code: 'update-takes-all',
    message: `update.maxUnavailable ${maxUnavailable} takes all of ${least} ${least === 1 ? 'replica' : 'replicas'} away at once, so an update is an outage`,
    fix: `Set update.maxUnavailable to ${Math.max(0, least - 1)}, or raise replicas to ${maxUnavailable + 1}.`,
  }));
  return update;
}

function disruptionBudget(
  { disruption }: WorkloadProps,
  replicas: Replicas,
  matchLabels: Labels,
  findings: Findings,
): PodDisruptionBudgetBody | undefined {
  const least = leastReplicas(replicas);
  // One that is alone may go. An autoscaler may have more in a moment, which go one by one.
  if (disruption === undefined && (typeof replicas === 'number' ? replicas : replicas.max) < 2) return undefined;
  const chosen = disruption ?? { maxUnavailable: 1 };
  const evictable = 'maxUnavailable' in chosen ? chosen.maxUnavailable : least - chosen.minAvailable;
  const prop = 'maxUnavailable' in chosen ? 'disruption.maxUnavailable' : 'disruption.minAvailable';
  const value = 'maxUnavailable' in chosen ? chosen.maxUnavailable : chosen.minAvailable;
  findings.demand(evictable >= 1, () => ({
    code: 'no-eviction-allowed',
    message: `${prop} ${value} with ${least} ${least === 1 ? 'replica' : 'replicas'} forbids every eviction, so no node with such a pod can be drained`,
    fix:
      'maxUnavailable' in chosen
        ? 'Set disruption.maxUnavailable to 1.'
        : `Raise replicas to ${chosen.minAvailable + 1}, or set disruption to { maxUnavailable: 1 }.`,
  }));
  findings.demand(!('maxUnavailable' in chosen) || chosen.maxUnavailable < least || least < 2, () => ({
    code: 'all-evictions-allowed',
    message: `disruption.maxUnavailable ${value} lets all of ${least} replicas be evicted at once`,
    fix: `Set disruption.maxUnavailable to at most ${least - 1}.`,
  }));
  return { spec: { selector: { matchLabels }, ...chosen, unhealthyPodEvictionPolicy: 'AlwaysAllow' } };
}

/** Only clients reach the ports that answer requests, only scrapers the one with metrics, and the server reaches what it fetches from. */
function policyOf(server: ServerProgram, props: WorkloadProps, matchLabels: Labels): NetworkPolicyBody {
  const { clients = defaultClients, scrapers = defaultScrapers } = props;
  const requests: readonly NetworkPort[] = server.ports.flatMap(({ name, internal }) =>
    internal === true ? [] : [{ port: name, protocol: 'TCP' as const }],
  );
  const metrics = server.metrics?.port;
  return {
    spec: {
      podSelector: { matchLabels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: clients, ports: requests },
        ...(metrics === undefined ? [] : [{ from: scrapers, ports: [{ port: metrics, protocol: 'TCP' as const }] }]),
      ],
      egress: [...(server.fetch?.egress ?? []), ...egressTo(server.reaches ?? []), ...(props.egress ?? [])],
    },
  };
}

function podOf(
  server: ServerProgram,
  props: WorkloadProps,
  { name, selector }: Names,
  startupSeconds: number,
  findings: Findings,
): PodSpec {
  const drain = drainPlan(props.drain ?? {});
  findings.add(...drainProblems(drain));
  const { gpu } = props;
  if (gpu !== undefined) findings.add(...gpuProblems(gpu));
  checkGpuFits(server, props, findings);
  const placement = gpu === undefined ? undefined : gpuPlacement(gpu);

  const memory = amountOf(props.memory);
  const shared = props.sharedMemory ?? defaultSharedMemory(server, props, memory.limit);
  const sharedMemory = shared === undefined ? undefined : sharedMemoryVolume(shared);
  if (shared !== undefined) {
    checkMemory(shared, 'sharedMemory', findings);
    findings.add(...sharedMemoryProblems(shared, memory.limit));
  }
  const folders = server.writable ?? [{ name: 'tmp', path: '/tmp', size: '64Mi' }];
  checkImages(server, props, findings);

  const volumes: readonly Volume[] = [
    ...(server.fetch?.volumes ?? []),
    ...folders.map(({ name: volume, size }) => ({ name: volume, emptyDir: { sizeLimit: size } })),
    ...(sharedMemory === undefined ? [] : [sharedMemory.volume]),
    ...(server.volumes ?? []),
  ];
  const mounts: readonly VolumeMount[] = [
    ...(server.fetch === undefined ? [] : [server.fetch.mount]),
    ...folders.map(({ name: volume, path }) => ({ name: volume, mountPath: path })),
    ...(sharedMemory === undefined ? [] : [sharedMemory.mount]),
    ...(server.mounts ?? []),
  ];
  const container: Container = {
    name: 'server',
    image: props.image,
    imagePullPolicy: 'IfNotPresent',
    command: server.command,
    args: typeof server.args === 'function' ? server.args(drain) : server.args,
    env: [...(server.env ?? []), ...(props.env ?? [])],
    ports: server.ports.map(({ name: port, port: containerPort }) => ({ name: port, containerPort, protocol: 'TCP' })),
    resources: resourcesOf(props, volumes, placement, findings),
    ...probesFor(server.health, startupSeconds),
    lifecycle: server.onTerminate === 'drains' ? undefined : sleepBeforeStop(drain),
    securityContext: containerSecurity,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: mounts,
  };
  const tolerations = [...(placement?.tolerations ?? []), ...(props.tolerations ?? [])];
  const nodeSelector = { ...placement?.nodeSelector, ...props.nodeSelector };
  return {
    serviceAccountName: name,
    automountServiceAccountToken: false,
    // Otherwise every Service of the namespace becomes variables, which some servers take for their own settings.
    enableServiceLinks: false,
    securityContext: podSecurity(server.runAs),
    terminationGracePeriodSeconds: drain.terminationGrace,
    priorityClassName: props.priorityClassName,
    imagePullSecrets: props.imagePullSecrets?.map((secret) => ({ name: secret })),
    nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector,
    affinity: placement?.affinity,
    tolerations: tolerations.length === 0 ? undefined : tolerations,
    topologySpreadConstraints: spreadOver(selector),
    initContainers: server.fetch?.initContainers,
    containers: [container],
    volumes,
  };
}

function defaultSharedMemory(server: ServerProgram, { gpu }: WorkloadProps, limit: Memory): Memory | undefined {
  if (server.sharedMemory !== undefined || gpu === undefined || server.gpu === 'none') return server.sharedMemory;
  const most = (bytesOf(limit) ?? Number.POSITIVE_INFINITY) / 4;
  return memoryOf(Math.floor(Math.min((gpu.count ?? 1) * 2 ** 30, most)));
}

function checkGpuFits({ gpu, construct }: ServerProgram, props: WorkloadProps, findings: Findings): void {
  findings.demand(gpu !== 'none' || props.gpu === undefined, () => ({
    code: 'gpu-unused',
    message: `gpu asks for a GPU that ${construct} would not use: its image has no CUDA`,
    fix: 'Leave gpu out, or serve the model with TritonDeployment.',
  }));
  findings.demand(gpu !== 'required' || props.gpu !== undefined, () => ({
    code: 'gpu-missing',
    message: `${construct} needs a GPU and gpu is not given`,
    fix: 'Set gpu: { count: 1 }.',
  }));
  findings.demand(props.gpu === undefined || !/[-_:]cpu(?:[-_:@]|$)/.test(props.image), () => ({
    code: 'gpu-with-cpu-image',
    message: 'gpu asks for a GPU and image is one for CPUs',
    found: props.image,
    fix: 'Use the image for CUDA, or leave gpu out.',
  }));
}

function checkImages(server: ServerProgram, props: WorkloadProps, findings: Findings): void {
  checkImage(props, findings, {
    beside: (server.fetch?.initContainers ?? []).map(({ image }) => image),
    fix: digestFix,
  });
}

function resourcesOf(
  props: WorkloadProps,
  volumes: readonly Volume[],
  placement: { readonly resource: string; readonly count: number } | undefined,
  findings: Findings,
): Resources {
  const cpu = amountOf(props.cpu);
  const memory = amountOf(props.memory);
  for (const part of ['request', 'limit'] as const) {
    checkMemory(memory[part], `memory.${part}`, findings);
    checkCores(cpu[part], `cpu.${part}`, findings);
  }
  findings.demand((coresOf(cpu.request) ?? 0) <= (coresOf(cpu.limit) ?? Number.POSITIVE_INFINITY), () => ({
    code: 'request-over-limit',
    message: `cpu.request ${cpu.request} is more than cpu.limit ${cpu.limit}`,
    fix: 'Raise cpu.limit or lower cpu.request.',
  }));
  findings.demand((bytesOf(memory.request) ?? 0) <= (bytesOf(memory.limit) ?? Number.POSITIVE_INFINITY), () => ({
    code: 'request-over-limit',
    message: `memory.request ${memory.request} is more than memory.limit ${memory.limit}`,
    fix: 'Raise memory.limit or lower memory.request.',
  }));
  // Every volume on the node's disk counts, the fetched model's too, and a little for logs: a pod that takes more is evicted.
  const onDisk = volumes.flatMap((each) =>
    'emptyDir' in each && each.emptyDir.medium === undefined ? [each.emptyDir.sizeLimit] : [],
  );
  const disk = memoryOf(onDisk.reduce((sum, size) => sum + (bytesOf(size) ?? 0), 64 * 2 ** 20));
  const gpus = placement === undefined ? {} : { [placement.resource]: String(placement.count) };
  return {
    requests: { cpu: cpuText(cpu.request), memory: memory.request, 'ephemeral-storage': disk, ...gpus },
    limits: { cpu: cpuText(cpu.limit), memory: memory.limit, 'ephemeral-storage': disk, ...gpus },
  };
}

function amountOf<Quantity extends Cpu | Memory>(given: Quantity | Amount<Quantity>): Amount<Quantity> {
  return typeof given === 'object' ? given : { request: given, limit: given };
}
