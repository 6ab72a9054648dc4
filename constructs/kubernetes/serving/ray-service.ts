import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { CustomResource } from '../crd/custom-resource.ts';
import { type RayServiceSpec, rayService } from '../crd/ray.ts';
import { checkLabels, checkServiceName, type Identity, labelsOf } from '../labels.ts';
import { type GpuProps, gpuPlacement, gpuProblems } from '../pod/gpu.ts';
import { imageProblems } from '../pod/image.ts';
import type { EnvVar, PodTemplate } from '../pod/pod-spec.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { sharedMemoryProblems, sharedMemoryVolume } from '../pod/shared-memory.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory, roundedMemory } from '../quantity.ts';
import { type ContainerSize, guaranteed } from './container-resources.ts';
import type { MetricsEndpoint } from './server-program.ts';
import type { ModelIdentity } from './serving-props.ts';

export interface RayServiceProps {
  /** Holds Ray and the program. */
  readonly image: string;
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
}

/** A model on Ray Serve: requests on port 8000 of the Service `<id>-serve-svc` that KubeRay makes, metrics on 8080 of every pod. */
export class RayService extends Construct {
  readonly workload: CustomResource<RayServiceSpec>;
  readonly identity: Identity;
  readonly metrics: MetricsEndpoint = { port: 'metrics', path: '/metrics', profile: 'ray-serve' };

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: RayServiceProps) {
    super(scope, id);
    const { image, model, worker, workers = { min: 1, max: 8 } } = props;
    const head = props.head ?? { cpu: 1, memory: '4Gi' };
    this.identity = {
      name: 'ray-serve',
      instance: id,
      component: 'model-server',
      partOf: model.name,
      model: model.name,
      modelVersion: model.version,
    };
    const labels = labelsOf(this.identity);
    const findings = new Findings(this, 'RayService');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    check(props, workers, findings);
    findings.add(...imageProblems(image, 'image'));
    findings.throwIfAny();
    this.workload = new CustomResource(this, 'ray-service', rayService, {
      metadata: { name: id, labels },
      spec: {
        serveConfigV2: stringify(serveConfig(props)),
        // The new cluster has to serve before the old one goes.
        upgradeStrategy: { type: 'NewCluster' },
        rayClusterConfig: {
          rayVersion: props.rayVersion,
          enableInTreeAutoscaling: workers.max > workers.min,
          headGroupSpec: {
            // The head answers no requests: it holds what the cluster knows of itself.
            rayStartParams: { 'dashboard-host': '0.0.0.0', 'num-cpus': '0' },
            template: podTemplate('ray-head', image, head, labels, [
              { name: 'gcs', containerPort: 6379 },
              { name: 'dashboard', containerPort: 8265 },
              { name: 'client', containerPort: 10_001 },
            ]),
          },
          workerGroupSpecs: [
            {
              groupName: 'serve',
              replicas: workers.min,
              minReplicas: workers.min,
              maxReplicas: workers.max,
              rayStartParams: {},
              template: podTemplate('ray-worker', image, worker, labels, []),
            },
          ],
        },
      },
    });
  }
}

/** Ray keeps objects in shared memory; less than a third of the container's is put on disk, slowly, with a warning. */
function sharedMemoryOf(memory: Memory): Memory {
  return roundedMemory((bytesOf(memory) ?? 0) * 0.3);
}

function podTemplate(
  name: string,
  image: string,
  size: ContainerSize,
  labels: Readonly<Record<string, string>>,
  ports: readonly { readonly name: string; readonly containerPort: number }[],
): PodTemplate {
  const shared = sharedMemoryVolume(sharedMemoryOf(size.memory));
  const gpu: GpuProps | undefined = size.gpu;
  const placement = gpu === undefined ? undefined : gpuPlacement(gpu);
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
      nodeSelector: placement?.nodeSelector,
      affinity: placement?.affinity,
      tolerations: placement?.tolerations,
      containers: [
        {
          name,
          image,
          imagePullPolicy: 'IfNotPresent',
          env,
          ports: [...ports, { name: 'serve', containerPort: 8000 }, { name: 'metrics', containerPort: 8080 }],
          resources: guaranteed(size),
          // Ray writes its session into /tmp/ray and its virtual environments elsewhere; its image does not run from a read-only root.
          securityContext: { ...containerSecurity, readOnlyRootFilesystem: false },
          volumeMounts: [shared.mount],
        },
      ],
      volumes: [shared.volume],
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
