import type { NetworkPolicyBody } from '../native.ts';
import { imageProblems } from '../pod/image.ts';
import { dnsLookup, egressTo, fetchImages } from '../pod/model-fetch.ts';
import { type ModelFile, portOf } from '../pod/model-file.ts';
import { type Container, type EnvVar, literal, type SecretKey, type Volume } from '../pod/pod-spec.ts';
import { containerSecurity } from '../pod/security.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory, memoryOf } from '../quantity.ts';

/** Where documents are. */
export type DocumentSource = ClaimSource | BucketSource;

export interface ClaimSource {
  /** The claim that has them; whoever writes them, this only reads it. Where nodes share no volume, `ReadWriteMany` or `ReadOnlyMany`. */
  readonly claim: string;
  /** The folder in it. @default all of it */
  readonly folder?: string;
}

export interface BucketSource {
  /** A bucket and how the keys begin: fetched anew by each run, with the pod's own rights unless `s3.credentials` says otherwise. */
  readonly bucket: `s3://${string}`;
  /** Another region than the pod's, or another service than AWS. */
  readonly s3?: Omit<NonNullable<ModelFile['s3']>, 'version'>;
  /** Room for all of them on the node's disk. @default 1Gi */
  readonly room?: Memory;
  /** Has the AWS CLI. @default `fetchImages.s3` */
  readonly fetchImage?: string;
}

/** All or nothing: with a part of the documents, the parts of the others would be taken out. */
const collectScript = `if [ -n "\${AWS_REGION:-}" ]; then export AWS_DEFAULT_REGION="$AWS_REGION"; fi
set --
IFS=,
for extension in $EXTENSIONS; do set -- "$@" --include "*$extension"; done
unset IFS
code=0
aws s3 sync --only-show-errors --exclude '*' "$@" "$SOURCE" /documents || code=$?
if [ "$code" -ne 0 ]; then echo "The documents of $SOURCE could not be fetched: aws s3 sync ended with code $code." >&2; exit 1; fi`;

/** How a pod gets its documents. */
export interface SourcePlan {
  readonly volume: Volume;
  /** Fetches them before they are read; absent: they are there. */
  readonly container?: Container;
  /** What the volume may hold on the node's disk. */
  readonly bytes: number;
  readonly egress: NetworkPolicyBody['spec']['egress'];
}

/** `extensions`: how the names of documents end, with commas between; nothing else is fetched. */
export function sourcePlan(source: DocumentSource, extensions: string): SourcePlan {
  if ('bucket' in source) return bucketPlan(source, extensions);
  // Read-only, so that nobody changes whose the files are.
  const claim = { claimName: source.claim, readOnly: true };
  return { volume: { name: 'documents', persistentVolumeClaim: claim }, bytes: 0, egress: [dnsLookup] };
}

function bucketPlan(
  { bucket, s3 = {}, room = '1Gi', fetchImage = fetchImages.s3 }: BucketSource,
  extensions: string,
): SourcePlan {
  const value = (name: string, text: string | undefined): readonly EnvVar[] =>
    text === undefined ? [] : [{ name, value: literal(text) }];
  const secret = (name: string, key: SecretKey | undefined): readonly EnvVar[] =>
    key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: key } }];
  const bytes = bytesOf(room) ?? 0;
  const amounts = { cpu: '500m', memory: '512Mi', 'ephemeral-storage': memoryOf(bytes + 128 * 2 ** 20) };
  return {
    container: {
      name: 'collect-documents',
      image: fetchImage,
      imagePullPolicy: 'IfNotPresent',
      command: ['/bin/sh', '-euc', collectScript],
      env: [
        ...value('SOURCE', bucket),
        ...value('EXTENSIONS', extensions),
        { name: 'HOME', value: '/tmp' },
        ...value('AWS_REGION', s3.region),
        ...value('AWS_ENDPOINT_URL_S3', s3.endpoint),
        ...secret('AWS_ACCESS_KEY_ID', s3.credentials?.accessKeyId),
        ...secret('AWS_SECRET_ACCESS_KEY', s3.credentials?.secretAccessKey),
      ],
      resources: { requests: amounts, limits: amounts },
      securityContext: containerSecurity,
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: [
        { name: 'documents', mountPath: '/documents' },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    },
    volume: { name: 'documents', emptyDir: { sizeLimit: room } },
    bytes,
    // 443 also for who gives out the pod's rights.
    egress: egressTo([443, portOf(s3.endpoint ?? 'https://s3.amazonaws.com')]),
  };
}

/** What is wrong with where documents are said to be. */
export function sourceProblems(props: DocumentSource): readonly ConstructProblem[] {
  if ('claim' in props) {
    if (!(props.folder ?? '').split('/').includes('..')) return [];
    return [
      {
        code: 'bad-folder',
        message: 'documents.folder leads out of the claim',
        found: props.folder ?? '',
        fix: 'Name a folder in it.',
      },
    ];
  }
  const problems: ConstructProblem[] = imageProblems(
    props.fetchImage ?? fetchImages.s3,
    'documents.fetchImage',
  ).slice();
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/.*)?$/.test(props.bucket)) {
    problems.push({
      code: 'bad-bucket',
      message: 'documents.bucket is no address of a bucket',
      found: props.bucket,
      expected: 's3://bucket or s3://bucket/folder',
      fix: 'Correct it.',
    });
  }
  if (props.s3?.endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(props.s3.endpoint)) {
    problems.push({
      code: 'bad-endpoint',
      message: 'documents.s3.endpoint is no address of a server',
      found: props.s3.endpoint,
      fix: 'Write it as https://minio.storage:9000.',
    });
  }
  if (props.room !== undefined && bytesOf(props.room) === undefined) {
    problems.push({
      code: 'bad-quantity',
      message: 'documents.room is no number of bytes',
      found: props.room,
      fix: 'Write it as 1Gi.',
    });
  }
  return problems;
}
