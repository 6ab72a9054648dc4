import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { EnvVar, SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';
import { flag } from '../serving/flags.ts';
import { ProgramDeployment } from '../serving/program-deployment.ts';
import type { ServerProgram } from '../serving/server-program.ts';
import type { WorkloadProps } from '../serving/serving-props.ts';

/** Where the server keeps what runs produce. */
export type MlflowArtifacts =
  | {
      /** A bucket and what is before every name in it: `s3://models/mlflow`, `gs://...`, `wasbs://...`, `abfss://...`. */
      readonly uri: string;
    }
  | {
      /** A claim that several pods can have at once (ReadWriteMany): during an update there is one pod more. */
      readonly claim: string;
    };

export interface MlflowTrackingProps extends Omit<WorkloadProps, 'gpu' | 'sharedMemory' | 'latencyBudget'> {
  /** Has MLflow, the driver of the database (`psycopg2`) and the client of the bucket (`boto3`): MLflow's own image has neither. */
  readonly image: string;
  /** The Secret with SQLAlchemy's address of the database, password included: `postgresql://user:password@host/mlflow`. */
  readonly backendStore: SecretKey;
  /** TCP port of the database, which the NetworkPolicy lets through. @default 5432 */
  readonly databasePort?: number;
  readonly artifacts: MlflowArtifacts;
  /**
   * Names, besides its Service's, under which browsers (by HTTPS) and clients ask for it: `mlflow.example.com`. MLflow (3.5 and later) refuses
   * all others.
   * @default none
   */
  readonly hosts?: readonly string[];
  /** Processes. @default MLflow's (4) */
  readonly workers?: number;
  /** Room for artifacts on their way. @default 2Gi */
  readonly temporaryVolume?: Memory;
}

/**
 * MLflow's tracking server and model registry, on port 5000. It keeps nothing itself: runs are in a database, artifacts in a bucket that only the
 * server may touch (clients send and get them through it).
 *
 * It asks nobody who they are. Put a `ModelGateway` before it and name that gateway, and it alone, among `clients`: MLflow's own clients send
 * the token of `MLFLOW_TRACKING_TOKEN` as a bearer token. A new MLflow may want another schema: run `mlflow db upgrade` before its image.
 */
export class MlflowTracking extends ProgramDeployment {
  constructor(scope: Construct, id: string, props: MlflowTrackingProps) {
    const { namespace } = Chart.of(scope);
    super(scope, id, {
      ...props,
      component: 'tracking-server',
      server: mlflowTracking(props.name ?? id, namespace, props),
    });
  }
}

const port = 5000;
const artifactFolder = '/artifacts';

function mlflowTracking(name: string, namespace: string | undefined, props: MlflowTrackingProps): ServerProgram {
  const { backendStore, artifacts, databasePort = 5432, hosts = [] } = props;
  const inCluster = namespace === undefined ? [] : [`${name}.${namespace}`, `${name}.${namespace}.svc`];
  const own = [name, ...inCluster].map((host) => `${host}:${port}`);
  const wide = namespace === undefined ? [] : [`${name}.${namespace}.svc.*:${port}`];
  const env: readonly EnvVar[] = [
    { name: 'HOME', value: '/tmp' },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'MLFLOW_BACKEND_STORE_URI', valueFrom: { secretKeyRef: backendStore } },
    // By its own address it is asked by the kubelet.
    { name: 'MLFLOW_SERVER_ALLOWED_HOSTS', value: [`$(POD_IP):${port}`, ...own, ...wide, ...hosts].join(',') },
    // A page of its own sends its address along with every change, and MLflow refuses those it does not know.
    ...(hosts.length === 0
      ? []
      : [{ name: 'MLFLOW_SERVER_CORS_ALLOWED_ORIGINS', value: hosts.map((host) => `https://${host}`).join(',') }]),
  ];
  return {
    construct: 'MlflowTracking',
    name: 'mlflow-tracking',
    command: ['mlflow', 'server'],
    args: [
      ...['--host', '0.0.0.0', '--port', String(port), '--serve-artifacts', '--artifacts-destination'],
      'uri' in artifacts ? artifacts.uri : `file://${artifactFolder}`,
      ...flag('--workers', props.workers),
    ],
    env,
    ports: [{ name: 'http', port, appProtocol: 'http' }],
    health: {
      ready: { httpGet: { path: '/health', port: 'http' } },
      // Busy with a large artifact is not dead.
      live: { tcpSocket: { port: 'http' } },
    },
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: props.temporaryVolume ?? '2Gi' }],
    onTerminate: 'finishes',
    gpu: 'none',
    reaches: [databasePort, ...('uri' in artifacts ? [443] : [])],
    ...('claim' in artifacts
      ? {
          volumes: [{ name: 'artifacts', persistentVolumeClaim: { claimName: artifacts.claim } }],
          mounts: [{ name: 'artifacts', mountPath: artifactFolder }],
        }
      : {}),
    problems: problemsOf(props),
    warnings:
      props.clients === undefined
        ? [
            {
              code: 'tracking-without-authentication',
              message:
                'the tracking server asks nobody who they are, and every pod of the namespace may change and delete models',
              fix: 'Put a ModelGateway before it and set clients to it alone: [{ podSelector: { matchLabels: selectorOf(gateway.identity) } }].',
            },
          ]
        : [],
  };
}

function problemsOf({
  artifacts,
  databasePort,
  hosts = [],
  workers,
}: MlflowTrackingProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if ('uri' in artifacts && !/^(?:s3|gs|wasbs|abfss):\/\/[^\s?#]+$/.test(artifacts.uri)) {
    problems.push({
      code: 'bad-artifacts',
      message: 'artifacts.uri is no place that outlives a pod',
      found: artifacts.uri,
      expected: 's3://, gs://, wasbs:// or abfss:// and a bucket',
      fix: 'Name a bucket, or a claim: artifacts: { claim }.',
    });
  }
  if (databasePort !== undefined && !(Number.isInteger(databasePort) && databasePort >= 1 && databasePort <= 65_535)) {
    problems.push({
      code: 'bad-port',
      message: 'databasePort is no port',
      found: String(databasePort),
      expected: '1 to 65535',
      fix: 'Correct it.',
    });
  }
  for (const host of hosts) {
    // A list for MLflow; `$(` would be Kubernetes' own.
    if (/^[A-Za-z0-9*](?:[A-Za-z0-9.*-]*)(?::\d{1,5})?$/.test(host) && host !== '*') continue;
    problems.push({
      code: 'bad-host',
      message: host === '*' ? 'hosts allows every name, which any web page can have' : 'hosts has a name that is none',
      found: host,
      expected: 'mlflow.example.com, with ":" and the port if it is not the usual one',
      fix: 'Name the hosts under which it is asked.',
    });
  }
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
    problems.push({
      code: 'bad-workers',
      message: 'workers is no number of processes',
      found: String(workers),
      fix: 'Set it to a whole number from 1.',
    });
  }
  return problems;
}
