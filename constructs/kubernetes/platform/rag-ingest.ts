import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { jobServiceAccount, scheduledJob, scheduleProblems } from '../batch/scheduled-job.ts';
import { configMapName } from '../config-map-name.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkLabels, checkServiceName, type Identity, type Labels, labelsOf, selectorOf } from '../labels.ts';
import {
  type ConfigMapBody,
  type CronJobBody,
  configMap,
  type NetworkPolicyBody,
  type ServiceAccountBody,
} from '../native.ts';
import { outboundPolicy } from '../outbound-policy.ts';
import { imageProblems, warnOfImages } from '../pod/image.ts';
import { literal } from '../pod/pod-spec.ts';
import { containerSecurity } from '../pod/security.ts';
import { type ConstructProblem, Findings } from '../problem.ts';
import { bytesOf, type Cpu, coresOf, cpuText, type Memory, memoryOf } from '../quantity.ts';
import { type DocumentSource, sourcePlan, sourceProblems } from './document-source.ts';
import { ingestFiles, ingestProgramFolder } from './rag/ingest-program.ts';

export type RagDocuments = DocumentSource & IngestOptions;

export interface IngestOptions {
  /** How the names of documents end: UTF-8 texts. @default ['.md', '.txt'] */
  readonly extensions?: readonly [string, ...string[]];
  /** As cron has it, in UTC. @default '17 * * * *', every hour */
  readonly schedule?: string;
  /** Do not begin by itself: `kubectl create job --from=cronjob/<name>` does. @default false */
  readonly suspend?: boolean;
  /** Characters of a part: what is found, and what the language model is given. @default 1200 */
  readonly partSize?: number;
  /** Characters that a part repeats of the one before. @default 150 */
  readonly overlap?: number;
  /** Documents that are larger are left out, and the run fails to tell so. @default 4Mi */
  readonly largest?: Memory;
  /** Parts that are embedded together. @default 32 */
  readonly batch?: number;
  /** How long a run may take. @default 1 hour */
  readonly deadline?: Duration;
  /** @default 500m */
  readonly cpu?: Cpu;
  /** Holds every part of every document at once. @default 512Mi */
  readonly memory?: Memory;
  /** Of the ServiceAccount: `{ 'eks.amazonaws.com/role-arn': ... }`. */
  readonly serviceAccountAnnotations?: Labels;
}

export type RagIngestProps = RagDocuments & {
  /** Name of the CronJob and the rest. */
  readonly name: string;
  /** `app.kubernetes.io/part-of`, and what the parts are marked with in the store. */
  readonly partOf: string;
  /** Node.js 20 or later. */
  readonly image: string;
  readonly embeddingUrl: string;
  readonly embeddingModel: string;
  readonly storeUrl: string;
  readonly collection: string;
  /** The embedding server and the store. */
  readonly egress: NetworkPolicyBody['spec']['egress'];
};

const ingestName = 'sluice-rag-ingest';

/** Who the pods of a stack's ingest are, for those who let them in. */
export function ingestIdentity(name: string, partOf: string): Identity {
  return { name: ingestName, instance: name, component: 'rag-ingest', partOf };
}

/**
 * Keeps a collection as the documents of a claim or a bucket are, time after time: new parts are embedded and stored, those of documents that are gone
 * go, and a run over the same documents changes nothing. One run at a time; one that fails is tried again where trying again may help.
 */
export class RagIngest extends Construct {
  readonly workload: KubernetesObject<CronJobBody>;
  readonly configMap: KubernetesObject<ConfigMapBody>;
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;
  readonly identity: Identity;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: RagIngestProps) {
    super(scope, id);
    const { name, image, cpu = '500m', memory = '512Mi' } = props;
    const source = sourcePlan(props, extensionsOf(props.extensions));
    const findings = new Findings(this, 'RagIngest');
    const identity = ingestIdentity(name, props.partOf);
    const labels = labelsOf(identity);
    checkServiceName(name, findings);
    checkLabels(labels, findings);
    findings.add(...imageProblems(image, 'image'), ...documentProblems(props), ...sourceProblems(props));
    findings.throwIfAny();
    warnOfImages([image, ...(source.container === undefined ? [] : [source.container.image])], findings);

    const metadata = { name, labels };
    this.identity = identity;
    this.serviceAccount = jobServiceAccount(this, metadata, props.serviceAccountAnnotations);
    const files = configMapName(name, ingestFiles);
    this.configMap = new KubernetesObject(
      this,
      'config-map',
      configMap,
      { name: files, labels },
      { immutable: true, data: ingestFiles },
    );
    // Volumes on the node's disk count, and a little for logs.
    const disk = memoryOf(source.bytes + 128 * 2 ** 20);
    const amounts = { cpu: cpuText(cpu), memory, 'ephemeral-storage': disk };
    // One at a time: two at once would each take out what the other stores.
    this.workload = scheduledJob(this, {
      metadata,
      schedule: props.schedule ?? hourly,
      suspend: props.suspend,
      startingDeadline: 600,
      successfulJobsHistory: 1,
      deadline: props.deadline,
      finalExitCode: 3,
      user: 1000,
      initContainers: source.container === undefined ? undefined : [source.container],
      container: {
        name: 'ingest',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', `${ingestProgramFolder}/ingest-documents.mjs`],
        env: envOf(props),
        resources: { requests: amounts, limits: amounts },
        securityContext: containerSecurity,
        terminationMessagePolicy: 'FallbackToLogsOnError',
        volumeMounts: [
          { name: 'program', mountPath: ingestProgramFolder, readOnly: true },
          { name: 'documents', mountPath: '/documents', readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
      volumes: [
        { name: 'program', configMap: { name: files } },
        source.volume,
        { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
      ],
    });
    this.networkPolicy = outboundPolicy(this, 'network-policy', metadata, {
      pods: selectorOf(identity),
      egress: [...source.egress, ...props.egress],
    });
  }
}

const hourly = '17 * * * *';

function extensionsOf(extensions: IngestOptions['extensions']): string {
  return (extensions ?? ['.md', '.txt']).join(',').toLowerCase();
}

function envOf(props: RagIngestProps) {
  const folder = (('folder' in props ? props.folder : undefined) ?? '').replaceAll(/^\/+|\/+$/g, '');
  const variables: Readonly<Record<string, string>> = {
    DOCUMENTS: literal(folder === '' ? '/documents' : `/documents/${folder}`),
    EXTENSIONS: extensionsOf(props.extensions),
    INGEST_NAME: literal(props.partOf),
    EMBEDDING_URL: props.embeddingUrl,
    EMBEDDING_MODEL: literal(props.embeddingModel),
    STORE_URL: props.storeUrl,
    COLLECTION: literal(props.collection),
    PART_SIZE: String(props.partSize ?? 1200),
    OVERLAP: String(props.overlap ?? 150),
    MAX_BYTES: String(bytesOf(props.largest ?? '4Mi') ?? 0),
    BATCH: String(props.batch ?? 32),
    TIMEOUT_MS: '120000',
    RETRY_MS: '1000',
    HOME: '/tmp',
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

function documentProblems(props: RagIngestProps): readonly ConstructProblem[] {
  const { partSize = 1200, overlap = 150, schedule = hourly, extensions = ['.md'] } = props;
  const problems: ConstructProblem[] = [
    ...scheduleProblems(
      { name: props.name, schedule },
      { prop: 'documents.schedule', example: hourly, named: 'stack' },
    ),
  ];
  if (!Number.isInteger(partSize) || partSize < 100 || partSize > 20_000) {
    problems.push({
      code: 'bad-part-size',
      message: 'documents.partSize is no size of a part',
      found: String(partSize),
      expected: 'a whole number of characters from 100 to 20000',
      fix: 'Set it to 1200, or leave it out.',
    });
  }
  if (!Number.isInteger(overlap) || overlap < 0 || overlap * 2 > partSize) {
    problems.push({
      code: 'bad-overlap',
      message: `documents.overlap ${overlap} is not between 0 and half of documents.partSize ${partSize}, so parts would mostly repeat each other`,
      fix: `Set it to ${Math.floor(partSize / 8)}.`,
    });
  }
  if (props.batch !== undefined && !(Number.isInteger(props.batch) && props.batch >= 1 && props.batch <= 500)) {
    problems.push({
      code: 'bad-limit',
      message: 'documents.batch is no number of parts',
      found: String(props.batch),
      expected: 'a whole number from 1 to 500',
      fix: 'Leave it out.',
    });
  }
  const wrong = extensions.filter((extension) => !/^\.[A-Za-z0-9.]+$/.test(extension));
  if (wrong.length > 0) {
    problems.push({
      code: 'bad-extension',
      message: 'documents.extensions has what no name ends with',
      found: wrong.join(', '),
      expected: 'a dot and letters or digits, such as .md',
      fix: 'Correct it.',
    });
  }
  for (const [prop, value] of [
    ['memory', props.memory],
    ['largest', props.largest],
  ] as const) {
    if (value === undefined || bytesOf(value) !== undefined) continue;
    problems.push({
      code: 'bad-quantity',
      message: `documents.${prop} is no number of bytes`,
      found: value,
      fix: 'Write it as 512Mi.',
    });
  }
  if (props.cpu !== undefined && coresOf(props.cpu) === undefined) {
    problems.push({
      code: 'bad-quantity',
      message: 'documents.cpu is no number of cores',
      found: String(props.cpu),
      fix: 'Write it as 1 or 500m.',
    });
  }
  return problems;
}
