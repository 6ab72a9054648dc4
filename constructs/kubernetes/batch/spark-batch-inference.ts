import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { configMapName } from '../config-map-name.ts';
import { CustomResource } from '../crd/custom-resource.ts';
import { type SparkApplicationSpec, type SparkPod, sparkApplication } from '../crd/spark.ts';
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
  configMap,
  type NetworkPolicyBody,
  networkPolicy,
  type PolicyRule,
  type RoleBindingBody,
  role,
  roleBinding,
  type ServiceAccountBody,
  serviceAccount,
} from '../native.ts';
import { checkImage } from '../pod/image.ts';
import {
  digestFix,
  type FetchImages,
  type FetchPlan,
  fetchImages,
  modelFetch,
  modelFolder,
  placed,
} from '../pod/model-fetch.ts';
import { type ModelFile, modelFileProblems, placeProblems } from '../pod/model-file.ts';
import { literal, type Toleration, type Volume } from '../pod/pod-spec.ts';
import { podSecurity } from '../pod/security.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';
import type { ModelIdentity } from '../serving/serving-props.ts';
import { programName, scoringProgram } from './scoring-program.ts';

/** A Spark driver or executor. */
export interface SparkSize {
  /** Whole cores. */
  readonly cores: number;
  /** Of the whole pod. Two fifths are the JVM's heap; Python, Arrow and the model take the rest. At least 1280Mi. */
  readonly memory: Memory;
}

export interface SparkBatchInferenceProps {
  /** Spark with Python, pandas, pyarrow, numpy, onnxruntime, and what reads the store of the data (hadoop-aws). */
  readonly image: string;
  /**
   * Take an image without a version.
   * @default false
   */
  readonly allowMutableImage?: boolean;
  /** Of the image: `4.0.1`. From 3.4. */
  readonly sparkVersion: string;
  readonly model: ModelIdentity;
  /** The ONNX file, verified in every pod before Spark starts. */
  readonly file: ModelFile;
  /** Files with the model's external data; `path` is their name as the ONNX file has it. */
  readonly externalData?: readonly ModelFile[];
  /** Room for the model in every pod. @default 2Gi */
  readonly modelVolume?: Memory;
  /** Parquet: a file or a folder, as Spark names it: `s3a://lake/customers/day=2026-08-01`. */
  readonly input: string;
  /** The folder that is made. What is there already is not replaced, so a new one for each run. */
  readonly output: string;
  /**
   * Replace what is at `output`.
   * @default false
   */
  readonly replace?: boolean;
  /** The columns that make the one input of the model, in its order. @default each input is the column of its name */
  readonly features?: readonly string[];
  /** The model's outputs to write, each as a column of its name. @default all */
  readonly outputs?: readonly string[];
  /** Columns of the input to write beside them: what tells rows apart. */
  readonly keep?: readonly string[];
  /** Rows that run together. @default 4096 */
  readonly batchRows?: number;
  /** @default 1 core, 2Gi */
  readonly driver?: SparkSize;
  readonly executor: SparkSize;
  /** Cores of one task, and the threads of its model. @default 1 */
  readonly taskCores?: number;
  /** How many executors, or bounds between which Spark chooses by what there is to do. @default 2 */
  readonly executors?: number | { readonly min: number; readonly max: number };
  /** For what Spark puts on disk, in each pod. @default 10Gi */
  readonly scratch?: Memory;
  /** How often a failed run is started again. @default 2 */
  readonly retries?: number;
  /** How long the finished application is kept. @default 7 days */
  readonly keepFor?: Duration;
  /** `{ 'spark.hadoop.fs.s3a.endpoint': ... }` */
  readonly sparkConf?: Readonly<Record<string, string>>;
  /** Of the driver's and the executors' ServiceAccounts: `{ 'eks.amazonaws.com/role-arn': ... }`. */
  readonly serviceAccountAnnotations?: Labels;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  /** false: whoever reaches the pods, such as a scraper, is the platform's business. @default only driver and executors reach each other */
  readonly networkPolicy?: false;
  /** Besides those that every object has. */
  readonly labels?: Labels;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
  /** Fields of the SparkApplication's spec that these props do not name. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * Scores a Parquet data set with an ONNX model, on the Spark operator (2.1 or later, whose pod templates need no webhook). The program is
 * `score_parquet.py` of this package, in a ConfigMap; every row of the output says the version of the model that scored it (`model_version`).
 */
export class SparkBatchInference extends Construct {
  readonly workload: CustomResource<SparkApplicationSpec>;
  /** The driver's, which makes the executors. */
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  /** The executors', which has no rights in the cluster. */
  readonly executorServiceAccount: KubernetesObject<ServiceAccountBody>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** What Spark's driver may do. */
  readonly role: KubernetesObject<{ readonly rules: readonly PolicyRule[] }>;
  readonly roleBinding: KubernetesObject<RoleBindingBody>;
  /** The program. */
  readonly configMap: KubernetesObject<ConfigMapBody>;
  readonly identity: Identity;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: SparkBatchInferenceProps) {
    super(scope, id);
    const { image, model, executors = 2, retries = 2, taskCores = 1 } = props;
    this.identity = identityFor(model, { name: 'spark', instance: id, component: 'batch-inference' });
    const labels = { ...labelsOf(this.identity), ...props.labels };
    const findings = new Findings(this, 'SparkBatchInference');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    check(props, findings);
    findings.throwIfAny();

    const metadata = { name: id, labels };
    const annotations = { ...props.serviceAccountAnnotations };
    const noToken = { automountServiceAccountToken: false };
    const executorName = `${id}-executor`;
    this.serviceAccount = new KubernetesObject(
      this,
      'service-account',
      serviceAccount,
      { ...metadata, annotations },
      noToken,
    );
    this.executorServiceAccount = new KubernetesObject(
      this,
      'executor-service-account',
      serviceAccount,
      { name: executorName, labels, annotations },
      noToken,
    );
    // What Spark's driver does: https://spark.apache.org/docs/latest/running-on-kubernetes.html#rbac
    this.role = new KubernetesObject(this, 'role', role, metadata, {
      rules: [
        {
          apiGroups: [''],
          resources: ['pods', 'services', 'configmaps', 'persistentvolumeclaims'],
          verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
        },
      ],
    });
    this.roleBinding = new KubernetesObject(this, 'role-binding', roleBinding, metadata, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: id },
      subjects: [{ kind: 'ServiceAccount', name: id }],
    });
    const data = { [programName]: scoringProgram() };
    this.configMap = new KubernetesObject(
      this,
      'program',
      configMap,
      { name: configMapName(id, data), labels },
      { immutable: true, data },
    );
    const fetch = modelFetch({
      files: [{ ...props.file, path: modelFile }, ...(props.externalData ?? []).map((file) => placed(file))],
      size: props.modelVolume ?? '2Gi',
      images: { ...fetchImages, ...props.fetchImages },
    });
    const pod = (kind: 'driver' | 'executor', account: string, size: SparkSize): SparkPod =>
      sparkPod(kind, account, size, props, labels, fetch, this.configMap.name);
    const seconds =
      props.keepFor === undefined ? 7 * 24 * 3600 : Math.ceil(props.keepFor.toSeconds({ integral: false }));
    this.workload = new CustomResource(this, 'spark-application', sparkApplication, {
      metadata,
      spec: {
        type: 'Python',
        mode: 'cluster',
        sparkVersion: props.sparkVersion,
        image,
        imagePullPolicy: 'IfNotPresent',
        mainApplicationFile: `local://${programFolder}/${programName}`,
        arguments: argumentsOf(props).map(literal),
        sparkConf: { 'spark.task.cpus': String(taskCores), ...props.sparkConf },
        restartPolicy:
          retries === 0
            ? { type: 'Never' }
            : {
                type: 'OnFailure',
                onFailureRetries: retries,
                onFailureRetryInterval: 30,
                onSubmissionFailureRetries: retries,
                onSubmissionFailureRetryInterval: 30,
              },
        timeToLiveSeconds: seconds,
        dynamicAllocation:
          typeof executors === 'number'
            ? undefined
            : {
                enabled: true,
                // There is no shuffle service on Kubernetes.
                shuffleTrackingEnabled: true,
                initialExecutors: executors.min,
                minExecutors: executors.min,
                maxExecutors: executors.max,
              },
        driver: pod('driver', id, props.driver ?? { cores: 1, memory: '2Gi' }),
        executor: {
          ...pod('executor', executorName, props.executor),
          instances: typeof executors === 'number' ? executors : undefined,
        },
      },
      extra: props.extra,
    });
    if (props.networkPolicy === false) return;
    const podSelector = { matchLabels: selectorOf(this.identity) };
    this.networkPolicy = new KubernetesObject(this, 'network-policy', networkPolicy, metadata, {
      spec: {
        podSelector,
        policyTypes: ['Ingress', 'Egress'],
        // Driver and executors reach each other on ports they choose themselves; data is anywhere.
        ingress: [{ from: [{ podSelector }] }],
        egress: [{}],
      },
    });
  }
}

const programFolder = '/opt/sluice';
const modelFile = 'model.onnx';
/** Beside the heap are Python's workers, each with the model, and Arrow's buffers. */
const heapShare = 0.4;
/** Spark refuses less: one and a half times what it keeps for itself. */
const leastHeap = 450 * 2 ** 20;

/** The program's; `name=value` in one, so that no value is taken for an option. */
function argumentsOf(props: SparkBatchInferenceProps): readonly string[] {
  const { input, output, features, outputs, keep, batchRows, taskCores = 1, replace, model } = props;
  const list = (option: string, columns: readonly string[] | undefined): readonly string[] =>
    columns === undefined || columns.length === 0 ? [] : [`${option}=${columns.join(',')}`];
  return [
    `--model=${modelFolder}/${modelFile}`,
    `--input=${input}`,
    `--output=${output}`,
    ...list('--features', features),
    ...list('--outputs', outputs),
    ...list('--keep', keep),
    `--add=model_version=${model.version}`,
    ...(batchRows === undefined ? [] : [`--batch-rows=${batchRows}`]),
    `--threads=${taskCores}`,
    ...(replace === true ? ['--replace'] : []),
  ];
}

function sparkPod(
  kind: 'driver' | 'executor',
  account: string,
  { cores, memory }: SparkSize,
  { image, scratch = '10Gi', nodeSelector, tolerations }: SparkBatchInferenceProps,
  labels: Labels,
  fetch: FetchPlan,
  program: string,
): SparkPod {
  const mebibytes = Math.floor((bytesOf(memory) ?? 0) / 2 ** 20);
  const heap = Math.floor(mebibytes * heapShare);
  const volumes: readonly Volume[] = [
    ...fetch.volumes,
    // Spark takes volumes of this name for its own files.
    { name: 'spark-local-dir-1', emptyDir: { sizeLimit: scratch } },
    ...(kind === 'driver' ? [{ name: 'program', configMap: { name: program } }] : []),
  ];
  return {
    cores,
    coreLimit: String(cores),
    memory: `${heap}m`,
    memoryOverhead: `${mebibytes - heap}m`,
    serviceAccount: account,
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: account,
        // The driver makes its executors through the API server; they need none of it.
        automountServiceAccountToken: kind === 'driver',
        enableServiceLinks: false,
        // Spark's images have this user.
        securityContext: podSecurity({ user: 185, group: 185 }),
        nodeSelector,
        tolerations,
        initContainers: fetch.initContainers,
        containers: [
          {
            // The operator tells Spark to fill in the container of this name.
            name: `spark-kubernetes-${kind}`,
            image,
            // Spark writes beside its programs, so not from a read-only root.
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            volumeMounts: [
              fetch.mount,
              { name: 'spark-local-dir-1', mountPath: '/var/data/spark-local-dir-1' },
              ...(kind === 'driver' ? [{ name: 'program', mountPath: programFolder, readOnly: true }] : []),
            ],
          },
        ],
        volumes,
      },
    },
  };
}

function check(props: SparkBatchInferenceProps, findings: Findings): void {
  const { file, externalData = [], sparkVersion, executors = 2, executor, taskCores = 1, batchRows, retries } = props;
  findings.add(...modelFileProblems(file, 'file'));
  findings.add(...externalData.flatMap((each, index) => modelFileProblems(each, `externalData[${index}]`, true)));
  findings.add(...placeProblems([{ path: modelFile }, ...externalData.map((each) => placed(each))]));
  checkImages(props, findings);
  checkData(props, findings);
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)(?:\.|$)/.exec(sparkVersion) ?? [];
  findings.demand(Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 4), () => ({
    code: 'bad-spark-version',
    message: 'sparkVersion is none that the program runs on',
    found: sparkVersion,
    expected: '3.4 or later, such as 4.0.1',
    fix: "Write the version of the image's Spark, or use a newer image.",
  }));
  const whole = (count: number, least: number): boolean => Number.isInteger(count) && count >= least;
  const counts = typeof executors === 'number' ? [executors, executors] : [executors.min, executors.max];
  findings.demand(counts.every((count) => whole(count, 1)) && (counts[0] ?? 1) <= (counts[1] ?? 1), () => ({
    code: 'bad-replicas',
    message: 'executors are no whole numbers from 1, or min is more than max',
    found: counts.join(' to '),
    fix: 'Set executors to a whole number, or to { min, max }.',
  }));
  for (const [prop, { cores, memory }] of Object.entries({
    executor,
    driver: props.driver ?? ({ cores: 1, memory: '2Gi' } as const),
  })) {
    findings.demand(whole(cores, 1), () => ({
      code: 'bad-quantity',
      message: `${prop}.cores is no number of whole cores`,
      found: String(cores),
      fix: 'Set it to a whole number from 1.',
    }));
    findings.demand((bytesOf(memory) ?? 0) * heapShare >= leastHeap, () => ({
      code: 'heap-too-small',
      message: `${prop}.memory ${memory} leaves the JVM less than the 450 MiB that Spark demands; it gets two fifths`,
      fix: 'Raise it to at least 1280Mi.',
    }));
  }
  findings.demand(whole(taskCores, 1) && taskCores <= executor.cores, () => ({
    code: 'task-over-executor',
    message: `taskCores ${taskCores} is no whole number up to executor.cores ${executor.cores}, so no task would ever start`,
    fix: `Set taskCores to at most ${executor.cores}.`,
  }));
  for (const [prop, value, least] of [
    ['batchRows', batchRows, 1],
    ['retries', retries, 0],
  ] as const) {
    findings.demand(value === undefined || whole(value, least), () => ({
      code: 'bad-count',
      message: `${prop} is no whole number from ${least}`,
      found: String(value),
      fix: 'Correct it, or leave it out.',
    }));
  }
}

function checkImages(props: SparkBatchInferenceProps, findings: Findings): void {
  checkImage(props, findings, {
    beside: [props.fetchImages?.verify ?? fetchImages.verify],
    fix: digestFix,
  });
}

/** Credentials in a URI end up in logs. */
const location = /^[a-z][a-z0-9+.-]*:\/\/[^\s@]+$/;

function checkData(
  { input, output, features = [], outputs = [], keep = [] }: SparkBatchInferenceProps,
  findings: Findings,
): void {
  for (const [prop, uri] of [
    ['input', input],
    ['output', output],
  ] as const) {
    findings.demand(location.test(uri), () => ({
      code: 'bad-location',
      message: `${prop} is no place that every pod of Spark finds`,
      found: uri.replace(/\/\/[^/]*@/, '//...@'),
      expected: 'such as s3a://bucket/folder, without spaces or credentials',
      fix: 'Write it as Spark reads it; give credentials through serviceAccountAnnotations or sparkConf.',
    }));
  }
  const trimmed = (uri: string): string => uri.replace(/\/+$/, '');
  findings.demand(!`${trimmed(output)}/`.startsWith(`${trimmed(input)}/`), () => ({
    code: 'output-in-input',
    message: 'output is the input or inside of it, so the next run would score scores',
    found: output,
    fix: 'Write elsewhere.',
  }));
  for (const [prop, columns] of Object.entries({ features, outputs, keep })) {
    const bad = columns.filter((column) => column === '' || column.includes(','));
    findings.demand(bad.length === 0 && new Set(columns).size === columns.length, () => ({
      code: 'bad-columns',
      message: `${prop} has a column twice, or one with a comma or without a name`,
      found: columns.join(' | '),
      fix: 'Correct it; rename such a column before it is written.',
    }));
  }
}
