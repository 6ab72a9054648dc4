import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { CustomResource } from '../crd/custom-resource.ts';
import { type RayServiceSpec, rayService } from '../crd/ray.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import {
  checkLabels,
  checkServiceName,
  type Identity,
  identityFor,
  type Labels,
  labelsOf,
  selectorOf,
} from '../labels.ts';
import {
  type NetworkPeer,
  type NetworkPolicyBody,
  networkPolicy,
  type PodDisruptionBudgetBody,
  type ServiceAccountBody,
  serviceAccount,
} from '../native.ts';
import { gpuProblems } from '../pod/gpu.ts';
import { imageProblems, warnOfImages } from '../pod/image.ts';
import { dnsLookup } from '../pod/model-fetch.ts';
import type { EnvVar, PodSpec, PodTemplate, Volume } from '../pod/pod-spec.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { serviceAccountToken } from '../pod/service-account-token.ts';
import { sharedMemoryProblems, sharedMemoryVolume } from '../pod/shared-memory.ts';
import { spreadOver } from '../pod/spread.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory, roundedMemory } from '../quantity.ts';
import { type ContainerSize, guaranteed, placementOf } from './container-resources.ts';
import { ControlledPods, type PodAccess } from './controlled-pods.ts';
import { defaultClients, defaultScrapers } from './peers.ts';
import type { MetricsEndpoint } from './server-program.ts';
import type { ModelIdentity } from './serving-props.ts';

export interface RayServiceProps extends PodAccess {
  /** Holds Ray and the program. */
  readonly image: string;
  /** Take an image without a version. @default false */
  readonly allowMutableImage?: boolean;
  /** Ray in the image: `2.49.0`. */
  readonly rayVersion: string;
  readonly model: ModelIdentity;
  /** `module:application`, as `serve run` takes it. */
  readonly importPath: string;
  /** @default '/' */
  readonly routePrefix?: string;
  /** By the name of the deployment in the program. */
  readonly deployments?: Readonly<
    Record<
      string,
      {
        readonly minReplicas: number;
        readonly maxReplicas: number;
        /** @default 2 */
        readonly targetOngoingRequests?: number;
        /** @default 5 */
        readonly maxOngoingRequests?: number;
        readonly cpus?: number;
        readonly gpus?: number;
      }
    >
  >;
  /** Of the program. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default 1 core, 4Gi */
  readonly head?: ContainerSize;
  readonly worker: ContainerSize;
  /** @default { min: 1, max: 8 } */
  readonly workers?: { readonly min: number; readonly max: number };
  /**
   * KubeRay's operator, which tells the head what to serve. Whoever reaches the head's dashboard may run any program there: name the operator's
   * namespace, too, where others may make pods.
   * @default pods with the label of KubeRay's chart, in any namespace
   */
  readonly operator?: NetworkPeer;
  /** Of the workers' ServiceAccount: `{ 'eks.amazonaws.com/role-arn': ... }`. */
  readonly serviceAccountAnnotations?: Labels;
}

/**
 * A model on Ray Serve: requests on port 8000 of the Service `<id>-serve-svc` that KubeRay makes, metrics on 8080 of every pod. What the program
 * reaches beside its cluster (a bucket with its model) is `egress`. Ray does not say who asked: whoever reaches a pod's other ports may run
 * programs in it, so nobody does but the cluster itself.
 *
 * The budget counts workers: Kubernetes knows no scale of a RayCluster, so it can only say how many have to stay. The head is one pod, and
 * has none: it would hold up its node for ever.
 */
export class RayService extends Construct {
  readonly workload: CustomResource<RayServiceSpec>;
  /** The workers'. The head's is KubeRay's own. */
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** The way of the autoscaler to the API server; absent where the number of workers is fixed. */
  readonly headPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** Absent with one worker. */
  readonly podDisruptionBudget?: KubernetesObject<PodDisruptionBudgetBody>;
  readonly identity: Identity;
  readonly metrics: MetricsEndpoint = { port: 'metrics', path: '/metrics', profile: 'ray-serve' };

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: RayServiceProps) {
    super(scope, id);
    const { image, model, worker, workers = { min: 1, max: 8 } } = props;
    const head = props.head ?? { cpu: 1, memory: '4Gi' };
    this.identity = identityFor(model, { name: 'ray-serve', instance: id, component: 'model-server' });
    const labels = labelsOf(this.identity);
    const findings = new Findings(this, 'RayService');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    check(props, workers, findings);
    findings.add(...imageProblems(image, 'image', props.allowMutableImage));
    findings.throwIfAny();
    warnOfImages([image], findings);
    const selector = selectorOf(this.identity);
    const scales = workers.max > workers.min;
    this.serviceAccount = new KubernetesObject(
      this,
      'service-account',
      serviceAccount,
      { name: id, labels, annotations: { ...props.serviceAccountAnnotations } },
      { automountServiceAccountToken: false },
    );
    this.workload = new CustomResource(this, 'ray-service', rayService, {
      metadata: { name: id, labels },
      spec: {
        serveConfigV2: stringify(serveConfig(props)),
        // The new cluster has to serve before the old one goes.
        upgradeStrategy: { type: 'NewCluster' },
        rayClusterConfig: {
          rayVersion: props.rayVersion,
          enableInTreeAutoscaling: scales,
          autoscalerOptions: scales
            ? { securityContext: raySecurity, volumeMounts: [autoscalerToken.mount] }
            : undefined,
          headGroupSpec: {
            // The head answers no requests: it holds what the cluster knows of itself.
            rayStartParams: { 'dashboard-host': '0.0.0.0', 'num-cpus': '0' },
            template: podTemplate('ray-head', image, head, labels, {
              ports: [
                { name: 'gcs', containerPort: 6379 },
                { name: 'dashboard', containerPort: 8265 },
                { name: 'client', containerPort: 10_001 },
              ],
              volumes: scales ? [autoscalerToken.volume] : [],
            }),
          },
          workerGroupSpecs: [
            {
              groupName: 'serve',
              replicas: workers.min,
              minReplicas: workers.min,
              maxReplicas: workers.max,
              rayStartParams: {},
              template: podTemplate('ray-worker', image, worker, labels, {
                pod: {
                  serviceAccountName: id,
                  topologySpreadConstraints: spreadOver({ ...selector, ...isWorker }, 'ray.io/cluster'),
                },
              }),
            },
          ],
        },
      },
    });
    const pods = new ControlledPods(this, 'pods', {
      name: id,
      labels,
      selector,
      access: props.networkPolicy === false ? undefined : accessOf(props, selector),
      disruption: workers.min > 1 ? { minAvailable: workers.min - 1 } : undefined,
      counted: { ...selector, ...isWorker },
    });
    if (pods.networkPolicy !== undefined) this.networkPolicy = pods.networkPolicy;
    if (pods.podDisruptionBudget !== undefined) this.podDisruptionBudget = pods.podDisruptionBudget;
    if (pods.networkPolicy !== undefined && scales) {
      this.headPolicy = new KubernetesObject(
        this,
        'head-policy',
        networkPolicy,
        { name: `${id}-head`, labels },
        {
          spec: {
            podSelector: { matchLabels: { ...selector, ...isHead } },
            policyTypes: ['Egress'],
            ingress: [],
            // The API server has another address in every cluster; 6443 is where its Service leads on many.
            egress: [{ ports: [443, 6443].map((port) => ({ port, protocol: 'TCP' as const })) }],
          },
        },
      );
    }
  }
}

/** KubeRay's labels (`labelPod` in ray-operator/controllers/ray/common/pod.go, 1.5.1); it keeps those of the template beside them. */
const isHead: Labels = { 'ray.io/node-type': 'head' };
const isWorker: Labels = { 'ray.io/node-type': 'worker' };

/** Of KubeRay's chart. */
const kuberayOperator: NetworkPeer = {
  namespaceSelector: {},
  podSelector: { matchLabels: { 'app.kubernetes.io/name': 'kuberay-operator' } },
};

/** Ray's processes reach each other on ports they choose themselves. */
function accessOf(
  { clients = defaultClients, scrapers = defaultScrapers, operator = kuberayOperator, egress = [] }: RayServiceProps,
  selector: Labels,
): Pick<NetworkPolicyBody['spec'], 'ingress' | 'egress'> {
  const cluster: readonly NetworkPeer[] = [{ podSelector: { matchLabels: selector } }];
  const ports = (...names: readonly string[]) => names.map((port) => ({ port, protocol: 'TCP' as const }));
  return {
    ingress: [
      { from: cluster },
      { from: clients, ports: ports('serve') },
      { from: scrapers, ports: ports('metrics') },
      { from: [operator], ports: ports('dashboard', 'serve') },
    ],
    egress: [{ to: cluster }, dnsLookup, ...egress],
  };
}

/** Ray writes its session into /tmp/ray and its virtual environments elsewhere; its image does not run from a read-only root. */
const raySecurity = { ...containerSecurity, readOnlyRootFilesystem: false };

/**
 * The token of the head's ServiceAccount, for KubeRay's autoscaler alone: Ray runs whatever it is given, and has none. Paths as Ray reads them
 * (ray/autoscaler/_private/kuberay/node_provider.py, 2.60).
 */
const autoscalerToken = serviceAccountToken('autoscaler-token');

/** Ray keeps objects in shared memory; less than a third of the container's is put on disk, slowly, with a warning. */
function sharedMemoryOf(memory: Memory): Memory {
  return roundedMemory((bytesOf(memory) ?? 0) * 0.3);
}

function podTemplate(
  name: string,
  image: string,
  size: ContainerSize,
  labels: Labels,
  {
    ports = [],
    volumes = [],
    pod = {},
  }: {
    readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
    readonly volumes?: readonly Volume[];
    readonly pod?: Partial<PodSpec>;
  },
): PodTemplate {
  const shared = sharedMemoryVolume(sharedMemoryOf(size.memory));
  const env: readonly EnvVar[] = [
    { name: 'HOME', value: '/home/ray' },
    { name: 'RAY_USAGE_STATS_ENABLED', value: '0' },
  ];
  return {
    metadata: { labels },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity({ user: 1000, group: 1000 }),
      terminationGracePeriodSeconds: 120,
      ...placementOf(size),
      containers: [
        {
          name,
          image,
          imagePullPolicy: 'IfNotPresent',
          env,
          ports: [...ports, { name: 'serve', containerPort: 8000 }, { name: 'metrics', containerPort: 8080 }],
          resources: guaranteed(size),
          securityContext: raySecurity,
          volumeMounts: [shared.mount],
        },
      ],
      volumes: [shared.volume, ...volumes],
      ...pod,
    },
  };
}

/** https://docs.ray.io/en/latest/serve/production-guide/config.html */
function serveConfig({ model, importPath, routePrefix = '/', deployments = {}, env }: RayServiceProps): unknown {
  return {
    proxy_location: 'EveryNode',
    http_options: { host: '0.0.0.0', port: 8000 },
    applications: [
      {
        name: model.name,
        route_prefix: routePrefix,
        import_path: importPath,
        ...(env === undefined ? {} : { runtime_env: { env_vars: env } }),
        deployments: Object.entries(deployments).map(([name, each]) => ({
          name,
          max_ongoing_requests: each.maxOngoingRequests ?? 5,
          autoscaling_config: {
            min_replicas: each.minReplicas,
            max_replicas: each.maxReplicas,
            target_ongoing_requests: each.targetOngoingRequests ?? 2,
          },
          ...(each.cpus === undefined && each.gpus === undefined
            ? {}
            : {
                ray_actor_options: {
                  ...(each.cpus === undefined ? {} : { num_cpus: each.cpus }),
                  ...(each.gpus === undefined ? {} : { num_gpus: each.gpus }),
                },
              }),
        })),
      },
    ],
  };
}

function check(
  { importPath, worker, deployments = {} }: RayServiceProps,
  workers: { readonly min: number; readonly max: number },
  findings: Findings,
): void {
  findings.demand(/^[A-Za-z_][\w.]*:[A-Za-z_]\w*$/.test(importPath), () => ({
    code: 'bad-import-path',
    message: 'importPath is no module and application',
    found: importPath,
    expected: 'module.path:application',
    fix: 'Write it as `serve run` takes it.',
  }));
  findings.demand(workers.min >= 1 && workers.min <= workers.max, () => ({
    code: 'bad-replicas',
    message: `workers.min ${workers.min} is below 1 or above workers.max ${workers.max}, and the head answers nothing`,
    fix: 'Set workers to { min: 1, max: 8 }.',
  }));
  if (worker.gpu !== undefined) findings.add(...gpuProblems(worker.gpu));
  findings.add(...sharedMemoryProblems(sharedMemoryOf(worker.memory), worker.memory));
  for (const [
    name,
    { minReplicas, maxReplicas, targetOngoingRequests = 2, maxOngoingRequests = 5, gpus = 0 },
  ] of Object.entries(deployments)) {
    findings.demand(minReplicas <= maxReplicas, () => ({
      code: 'bad-replicas',
      message: `minReplicas ${minReplicas} of ${name} is more than its maxReplicas ${maxReplicas}`,
      fix: 'Raise maxReplicas.',
    }));
    findings.demand(targetOngoingRequests <= maxOngoingRequests, () => ({
      code: 'never-scales',
      message: `targetOngoingRequests ${targetOngoingRequests} of ${name} is more than maxOngoingRequests ${maxOngoingRequests}, so it would never be reached and never scale`,
      fix: 'Raise maxOngoingRequests or lower targetOngoingRequests.',
    }));
    findings.demand(gpus <= (worker.gpu === undefined ? 0 : (worker.gpu.count ?? 1)), () => ({
      code: 'gpu-missing',
      message: `${name} asks for ${gpus} GPUs and a worker has ${worker.gpu === undefined ? 0 : (worker.gpu.count ?? 1)}`,
      fix: 'Set worker.gpu, or lower gpus.',
    }));
  }
}
