import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import type { SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import { flag, switchFlag } from '../serving/flags.ts';
import { ProgramDeployment } from '../serving/program-deployment.ts';
import type { ServerProgram } from '../serving/server-program.ts';
import type { WorkloadProps } from '../serving/serving-props.ts';

export interface FeastFeatureServerProps extends Omit<WorkloadProps, 'gpu' | 'sharedMemory' | 'latencyBudget'> {
  /** Has Feast and the clients of its stores: `quay.io/feastdev/feature-server`. */
  readonly image: string;
  /** The Secret with the whole `feature_store.yaml`, passwords included. Its registry and online store are elsewhere: the pod keeps no file. */
  readonly featureStore: SecretKey;
  /** TCP ports of the registry and the online store, which the NetworkPolicy lets through: 443 for buckets, 5432, 6379. */
  readonly storePorts: readonly [number, ...number[]];
  /** How old what it knows of features may be. @default 1 minute */
  readonly registryTtl?: Duration;
  /** Processes. @default 1: replicas are the better processes */
  readonly workers?: number;
  /** Tell its CPU and memory on port 8000. @default false */
  readonly metrics?: boolean;
}

/**
 * Feast's feature server, on port 6566: `POST /get-online-features`. It also takes `/push`, `/write-to-online-store` and `/materialize`, and asks
 * nobody who they are unless `feature_store.yaml` says so (`auth`): let only those be `clients` who may write, or put a `ModelGateway`
 * before it that routes `/get-online-features` and nothing else.
 */
export class FeastFeatureServer extends ProgramDeployment {
  constructor(scope: Construct, id: string, props: FeastFeatureServerProps) {
    super(scope, id, { ...props, component: 'feature-server', server: feastServer(props) });
  }
}

const repository = '/feature-store';

function feastServer(props: FeastFeatureServerProps): ServerProgram {
  const { featureStore, storePorts, registryTtl, workers, metrics = false } = props;
  return {
    construct: 'FeastFeatureServer',
    name: 'feast-feature-server',
    command: ['feast'],
    args: [
      ...['--chdir', repository, 'serve', '--host', '0.0.0.0', '--port', '6566', '--no-access-log'],
      ...flag('--workers', workers),
      ...flag(
        '--registry_ttl_sec',
        registryTtl === undefined ? undefined : Math.ceil(registryTtl.toSeconds({ integral: false })),
      ),
      ...switchFlag('--metrics', metrics),
    ],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'FEAST_USAGE', value: 'False' },
    ],
    ports: metrics
      ? [
          { name: 'http', port: 6566, appProtocol: 'http' },
          { name: 'metrics', port: 8000, internal: true },
        ]
      : [{ name: 'http', port: 6566, appProtocol: 'http' }],
    health: {
      ready: { httpGet: { path: '/health', port: 'http' } },
      live: { httpGet: { path: '/health', port: 'http' } },
    },
    ...(metrics ? { metrics: { port: 'metrics', path: '/metrics' } } : {}),
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: '256Mi' }],
    onTerminate: 'finishes',
    gpu: 'none',
    reaches: storePorts,
    volumes: [
      {
        name: 'feature-store',
        secret: {
          secretName: featureStore.name,
          defaultMode: 0o440,
          items: [{ key: featureStore.key, path: 'feature_store.yaml' }],
        },
      },
    ],
    mounts: [{ name: 'feature-store', mountPath: repository, readOnly: true }],
    problems: problemsOf(props),
  };
}

function problemsOf({ storePorts, registryTtl, workers }: FeastFeatureServerProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = storePorts
    .filter((port) => !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    .map((port) => ({
      code: 'bad-port',
      message: 'storePorts has one that is no port',
      found: String(port),
      expected: '1 to 65535',
      fix: 'Correct it.',
    }));
  if (registryTtl !== undefined && registryTtl.toSeconds({ integral: false }) < 1) {
    problems.push({
      code: 'bad-ttl',
      message: 'registryTtl is less than a second, so the registry would be read all the time',
      found: registryTtl.toHumanString(),
      fix: 'Raise it.',
    });
  }
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
    problems.push({
      code: 'bad-workers',
      message: 'workers is no number of processes',
      found: String(workers),
      expected: "a whole number from 1 (Feast's -1 counts the node's cores, not the pod's)",
      fix: 'Set it to the cores of cpu.limit.',
    });
  }
  return problems;
}
