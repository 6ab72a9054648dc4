import type { FetchImages } from '../pod/model-fetch.ts';
import { locationOf, type ModelFile } from '../pod/model-file.ts';
import { type Container, type EnvVar, literal, type Volume, type VolumeMount } from '../pod/pod-spec.ts';
import { containerSecurity } from '../pod/security.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';

/** Data that is another one every day, so that there is no digest to verify it by. */
export interface CurrentData extends Pick<ModelFile, 's3' | 'token'> {
  /** `s3://bucket/key`, `https://host/path`, or `pvc://claim/path`, which is read in place. */
  readonly uri: string;
}

export interface CurrentDataPlan {
  /** In the pod. */
  readonly path: string;
  readonly mount: VolumeMount;
  readonly volumes: readonly Volume[];
  readonly initContainers: readonly Container[];
  /** TCP port that must be reached; absent: none. */
  readonly port?: number;
  readonly problems: readonly ConstructProblem[];
}

const folder = '/current';
const tmp: VolumeMount = { name: 'fetch-tmp', mountPath: '/tmp' };

/** Everything from outside reaches the scripts as a variable of the environment, never as part of their text. */
const scripts = {
  s3: `rm -f -- "$TARGET"
aws s3 cp --only-show-errors "$SOURCE" "$TARGET"`,
  http: `rm -f -- "$TARGET"
headers() { if [ -n "\${TOKEN:-}" ]; then printf 'Authorization: Bearer %s\\n' "$TOKEN"; fi; }
headers | curl --fail --silent --show-error --location --proto '=https,http' --proto-redir '=https' --retry 5 \\
  --retry-all-errors --connect-timeout 10 --max-filesize "$MAX_BYTES" --header @- --output "$TARGET" -- "$SOURCE"`,
} as const;

/** How today's data comes to the pod: from a claim in place, else by an init container. `size`: room for it. */
export function currentData(
  { uri, s3, token }: CurrentData,
  { extension, size, images }: { readonly extension: string; readonly size: Memory; readonly images: FetchImages },
): CurrentDataPlan {
  const location = locationOf({ uri, sha256: '', ...(s3 === undefined ? {} : { s3 }) });
  const path = `${folder}/current${extension}`;
  const fetched: CurrentDataPlan = {
    path,
    mount: { name: 'current', mountPath: folder, readOnly: true },
    volumes: [{ name: 'current', emptyDir: { sizeLimit: size } }],
    initContainers: [],
    problems: tokenProblems(uri, token),
  };
  if (location === undefined || location.scheme === 'oci') {
    const problem: ConstructProblem = {
      code: 'bad-data-uri',
      message: 'current.uri is nowhere that data can be fetched from',
      found: uri.replace(/\/\/[^/]*@/, '//...@').replace(/[?#].*$/s, ''),
      expected: 's3://bucket/key, https://host/path or pvc://claim/path',
      fix: 'Write it in one of these forms.',
    };
    return { ...fetched, problems: [...fetched.problems, problem] };
  }
  if (location.scheme === 'pvc' && location.claim !== undefined) {
    const name = `claim-${location.claim}`;
    return {
      ...fetched,
      path: `${folder}/${location.source}`,
      mount: { ...fetched.mount, name },
      volumes: [{ name, persistentVolumeClaim: { claimName: location.claim, readOnly: true } }],
    };
  }
  const scheme = location.scheme === 's3' ? 's3' : 'http';
  const value = (name: string, text: string | undefined): readonly EnvVar[] =>
    text === undefined ? [] : [{ name, value: literal(text) }];
  const secret = (name: string, key: ModelFile['token']): readonly EnvVar[] =>
    key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: key } }];
  const amounts = { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '128Mi' };
  return {
    ...fetched,
    ...(location.port === undefined ? {} : { port: location.port }),
    initContainers: [
      {
        name: 'fetch-current',
        image: images[scheme],
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh', '-euc', scripts[scheme]],
        env: [
          ...value('SOURCE', location.source),
          ...value('TARGET', path),
          ...value('HOME', tmp.mountPath),
          ...(scheme === 'http' ? value('MAX_BYTES', String(bytesOf(size) ?? 0)) : []),
          ...value('AWS_REGION', s3?.region),
          ...value('AWS_ENDPOINT_URL_S3', s3?.endpoint),
          ...secret('AWS_ACCESS_KEY_ID', s3?.credentials?.accessKeyId),
          ...secret('AWS_SECRET_ACCESS_KEY', s3?.credentials?.secretAccessKey),
          ...secret('TOKEN', token),
        ],
        resources: { requests: amounts, limits: amounts },
        securityContext: containerSecurity,
        terminationMessagePolicy: 'FallbackToLogsOnError',
        volumeMounts: [{ name: 'current', mountPath: folder }, tmp],
      },
    ],
  };
}

function tokenProblems(uri: string, token: ModelFile['token']): readonly ConstructProblem[] {
  if (token === undefined || uri.startsWith('https://')) return [];
  return [
    {
      code: 'token-in-clear',
      message: 'current.token would be sent where nobody asks for it, or in clear text',
      found: uri.replace(/:.*$/s, '://'),
      expected: 'https://',
      fix: 'Use an https:// address, or leave the token out.',
    },
  ];
}
