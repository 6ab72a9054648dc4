import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { parsePolicy } from '../../../core/policy/index.ts';
import { SluiceError } from '../../../core/problem/index.ts';
import { configMapName } from '../config-map-name.ts';
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
  type ConfigMapBody,
  type CronJobBody,
  configMap,
  type NetworkPolicyBody,
  type ServiceAccountBody,
} from '../native.ts';
import { outboundPolicy } from '../outbound-policy.ts';
import { imageProblems, warnOfImages } from '../pod/image.ts';
import { egressTo, type FetchImages, fetchImages, modelFetch, modelFolder } from '../pod/model-fetch.ts';
import { locationOf, type ModelFile, modelFileProblems, portOf } from '../pod/model-file.ts';
import { type Container, literal, type Toleration, type Volume, type VolumeMount } from '../pod/pod-spec.ts';
import { containerSecurity } from '../pod/security.ts';
import { type ConstructProblem, Findings } from '../problem.ts';
import { bytesOf, type Cpu, coresOf, cpuText, type Memory, memoryOf } from '../quantity.ts';
import type { ModelIdentity } from '../serving/serving-props.ts';
import { type CurrentData, currentData } from './current-data.ts';
import { jobServiceAccount, scheduledJob, scheduleProblems } from './scheduled-job.ts';

export interface DriftCheckJobProps {
  /** Its entrypoint is the command `sluice`, DuckDB is in it: see `cli/Dockerfile`. */
  readonly image: string;
  /**
   * Take an image without a version.
   * @default false
   */
  readonly allowMutableImage?: boolean;
  /** Whose data it is: labels, and the names in the metrics. */
  readonly model: ModelIdentity;
  /** The text of the `sluice.yaml` with the bounds under `drift`; the files in it are not read. */
  readonly policy: string;
  /** What the data was when the model was made: CSV or Parquet, verified before it is compared with. */
  readonly reference: Omit<ModelFile, 'path' | 'unpack'>;
  /** What the data is now: whatever is there when the job runs. */
  readonly current: CurrentData;
  /** Room for what is fetched, reference and current data each. @default 4Gi */
  readonly dataVolume?: Memory;
  /** As cron has it. @default '17 5 * * *', once a day */
  readonly schedule?: string;
  /** Of the schedule: a name of the tz database. @default Etc/UTC */
  readonly timeZone?: string;
  /**
   * Do not begin by itself: `kubectl create job --from=cronjob/<name>` does.
   * @default false
   */
  readonly suspend?: boolean;
  /** How long a run may take. @default 1 hour */
  readonly deadline?: Duration;
  /** Where its numbers are pushed, for the alert rules on drift: `http://pushgateway.monitoring:9091`. @default nowhere */
  readonly pushgateway?: string;
  /** @default 1 */
  readonly cpu?: Cpu;
  /** DuckDB takes 2 GB before it goes to disk. At least 3Gi. @default 3Gi */
  readonly memory?: Memory;
  /** What the comparison may write when memory is short, in /tmp. @default 4Gi */
  readonly scratch?: Memory;
  /** For the rights to read a bucket: `{ 'eks.amazonaws.com/role-arn': ... }`. */
  readonly serviceAccountAnnotations?: Labels;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  /** Besides those that every object has. */
  readonly labels?: Labels;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

const policyFolder = '/policy';
/** DuckDB's own limit and as much as Node and the rows in hand take. */
const leastMemory = 3 * 2 ** 30;
/** Drift, which is an answer: running again gives the same. */
const drifted = 100;

/**
 * Compares today's data with the model's reference by schedule, with `sluice detect-drift`. The job fails when the data has drifted, and its
 * log is the report; with `pushgateway` the alert rules of `ModelAlerts` see each feature, and notice when nobody has looked for a day.
 *
 * ```ts
 * new DriftCheckJob(chart, 'churn-drift', {
 *   image: 'registry.example.com/sluice:1.4.0@sha256:...',
 *   model: { name: 'churn', version: '3' },
 *   policy: readFileSync('sluice.yaml', 'utf8'),
 *   reference: { uri: 's3://models/churn/3/train.parquet', sha256: '...' },
 *   current: { uri: 's3://lake/customers/latest.parquet' },
 * });
 * ```
 */
export class DriftCheckJob extends Construct {
  readonly workload: KubernetesObject<CronJobBody>;
  readonly configMap: KubernetesObject<ConfigMapBody>;
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;
  readonly identity: Identity;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: DriftCheckJobProps) {
    super(scope, id);
    const { model, dataVolume = '4Gi', cpu = 1, memory = '3Gi', scratch = '4Gi' } = props;
    this.identity = identityFor(model, { name: 'sluice-drift-check', instance: id, component: 'drift-check' });
    const labels = { ...labelsOf(this.identity), ...props.labels };
    const images = { ...fetchImages, ...props.fetchImages };
    const reference = { ...props.reference, path: `reference${extensionOf(props.reference.uri)}` };
    const current = currentData(props.current, { extension: extensionOf(props.current.uri), size: dataVolume, images });
    const findings = new Findings(this, 'DriftCheckJob');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    findings.add(...modelFileProblems(reference, 'reference'), ...current.problems, ...jobProblems(id, props));
    findings.throwIfAny();

    const metadata = { name: id, labels };
    this.serviceAccount = jobServiceAccount(this, metadata, props.serviceAccountAnnotations);
    const data = { 'sluice.yaml': props.policy };
    this.configMap = new KubernetesObject(
      this,
      'config-map',
      configMap,
      { name: configMapName(id, data), labels },
      { immutable: true, data },
    );
    const fetch = modelFetch({ files: [reference], size: dataVolume, images });
    const fetching = [...fetch.initContainers, ...current.initContainers];
    warnOfImages([props.image, ...fetching.map(({ image }) => image)], findings);
    const mounts: readonly VolumeMount[] = [
      { name: 'policy', mountPath: policyFolder, readOnly: true },
      fetch.mount,
      current.mount,
      { name: 'tmp', mountPath: '/tmp' },
    ];
    const volumes: readonly Volume[] = [
      { name: 'policy', configMap: { name: this.configMap.name } },
      ...fetch.volumes,
      // A claim that has both is one volume.
      ...current.volumes.filter(({ name }) => fetch.volumes.every((volume) => volume.name !== name)),
      { name: 'tmp', emptyDir: { sizeLimit: scratch } },
    ];
    const amounts = {
      cpu: cpuText(cpu),
      memory,
      'ephemeral-storage': memoryOf((bytesOf(scratch) ?? 0) + 128 * 2 ** 20),
    };
    const check: Container = {
      name: 'check',
      image: props.image,
      imagePullPolicy: 'IfNotPresent',
      args: argumentsOf(props, `${modelFolder}/${reference.path}`, current.path).map(literal),
      // Nothing it writes is in its own folder, and no colour is in a log.
      workingDir: '/tmp',
      env: [
        { name: 'HOME', value: '/tmp' },
        { name: 'NO_COLOR', value: '1' },
      ],
      resources: { requests: amounts, limits: amounts },
      securityContext: containerSecurity,
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: mounts,
    };
    this.workload = scheduledJob(this, {
      metadata,
      schedule: props.schedule ?? daily,
      timeZone: props.timeZone,
      suspend: props.suspend,
      startingDeadline: 3600,
      successfulJobsHistory: 3,
      deadline: props.deadline,
      finalExitCode: drifted,
      user: 65_532,
      initContainers: fetching,
      container: check,
      volumes,
      nodeSelector: props.nodeSelector,
      tolerations: props.tolerations,
    });
    const pushing = props.pushgateway === undefined ? undefined : portOf(props.pushgateway);
    const ports = [locationOf(reference)?.port, current.port, pushing];
    this.networkPolicy = outboundPolicy(this, 'network-policy', metadata, {
      pods: selectorOf(this.identity),
      egress: egressTo(ports.filter((port) => port !== undefined)),
    });
  }
}

const daily = '17 5 * * *';

/** `name=value` in one, so that no value is taken for an option. */
function argumentsOf(
  { model, pushgateway }: DriftCheckJobProps,
  reference: string,
  current: string,
): readonly string[] {
  return [
    'detect-drift',
    `--policy=${policyFolder}/sluice.yaml`,
    `--reference=${reference}`,
    `--current=${current}`,
    ...(pushgateway === undefined
      ? []
      : [`--push-metrics=${pushgateway}`, `--model=${model.name}`, `--model-version=${model.version}`]),
  ];
}

/** How a file's name ends, by which it is read: `.parquet`. */
function extensionOf(uri: string): string {
  return /\.(?:csv|tsv|parquet|pq)$/i.exec(uri.replace(/^(https?:[^?#]*).*$/s, '$1'))?.[0] ?? '';
}

function jobProblems(id: string, props: DriftCheckJobProps): readonly ConstructProblem[] {
  const { schedule = daily, timeZone = 'Etc/UTC', memory = '3Gi', cpu = 1, pushgateway } = props;
  const problems: ConstructProblem[] = [
    ...imageProblems(props.image, 'image', props.allowMutableImage),
    ...policyProblems(props.policy),
    ...scheduleProblems({ name: id, schedule }, { prop: 'schedule', example: daily, named: 'construct' }),
  ];
  const demand = (holds: boolean, problem: ConstructProblem) => {
    if (!holds) problems.push(problem);
  };
  for (const [prop, { uri }] of Object.entries({ reference: props.reference, current: props.current })) {
    demand(extensionOf(uri) !== '', {
      code: 'bad-format',
      message: `${prop}.uri does not end as data does that can be compared`,
      found: uri,
      expected: '.parquet, .pq, .csv or .tsv',
      fix: 'Name one file in one of these formats.',
    });
  }
  demand(isTimeZone(timeZone), {
    code: 'bad-time-zone',
    message: 'timeZone is no name of the tz database',
    found: timeZone,
    expected: 'such as Etc/UTC or Asia/Seoul',
    fix: 'Correct it, or leave it out.',
  });
  demand((bytesOf(memory) ?? 0) >= leastMemory, {
    code: 'too-little-memory',
    message: `memory ${memory} is less than what DuckDB takes before it goes to disk (2 GB) and the rest needs`,
    fix: 'Raise it to at least 3Gi.',
  });
  for (const [prop, quantity] of Object.entries({ dataVolume: props.dataVolume, scratch: props.scratch })) {
    demand(quantity === undefined || bytesOf(quantity) !== undefined, {
      code: 'bad-quantity',
      message: `${prop} is no number of bytes`,
      found: String(quantity),
      fix: 'Write it as 4Gi.',
    });
  }
  demand(coresOf(cpu) !== undefined, {
    code: 'bad-quantity',
    message: 'cpu is no number of cores',
    found: String(cpu),
    fix: 'Write it as 1 or 500m.',
  });
  demand(pushgateway === undefined || (/^https?:\/\/[^\s@]+$/.test(pushgateway) && URL.canParse(pushgateway)), {
    code: 'bad-address',
    message: 'pushgateway is no address, or has credentials in it',
    found: pushgateway?.replace(/\/\/[^/]*@/, '//...@') ?? '',
    expected: 'such as http://pushgateway.monitoring:9091',
    fix: 'Correct it.',
  });
  return problems;
}

/** What `sluice` would refuse in the pod is refused here, at its line. */
function policyProblems(text: string): readonly ConstructProblem[] {
  try {
    const { policy } = parsePolicy(text, 'sluice.yaml');
    if (policy.drift !== undefined) return [];
    const message = 'policy says nothing of drift';
    return [{ code: 'no-drift', message, fix: 'Add "drift: {}", or bounds under it such as "psi: { fail: 0.2 }".' }];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.problems.map(({ place, ...problem }) => ({
      ...problem,
      message: `policy, line ${place?.line ?? 1}: ${problem.message}`,
    }));
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
