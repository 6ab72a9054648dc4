import type { NetworkPolicyBody } from '../native.ts';
import type { Memory } from '../quantity.ts';
import { fileName, type Location, locationOf, type ModelFile, type Scheme } from './model-file.ts';
import { type Container, type EnvVar, literal, type Resources, type Volume, type VolumeMount } from './pod-spec.ts';
import { containerSecurity } from './security.ts';

/** The programs that fetch and verify. Each is run as a shell script; override one to take it from another registry or to pin its digest. */
export interface FetchImages {
  /** Has sh and aws. */
  readonly s3: string;
  /** Has sh and curl. */
  readonly http: string;
  /** Has sh and oras. */
  readonly oci: string;
  /** Has sh, cp, mv, tar and sha256sum. */
  readonly verify: string;
}

export const fetchImages: FetchImages = {
  s3: 'public.ecr.aws/aws-cli/aws-cli:2.27.0',
  http: 'docker.io/curlimages/curl:8.13.0',
  oci: 'ghcr.io/oras-project/oras:v1.2.2',
  verify: 'docker.io/library/busybox:1.37.0',
};

/** Text to be written into the model folder, from a ConfigMap. */
export interface WrittenFile {
  readonly path: string;
  /** Key in the ConfigMap. */
  readonly key: string;
}

export interface FetchOptions {
  readonly files: readonly (ModelFile & { readonly path: string })[];
  /** Folders to be made, for what asks for empty ones. */
  readonly folders?: readonly string[] | undefined;
  readonly written?: { readonly configMap: string; readonly files: readonly WrittenFile[] } | undefined;
  /** Of the volume that holds the model. */
  readonly size: Memory;
  readonly images: FetchImages;
}

export interface FetchPlan {
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  /** For the server: the model folder, which it only reads. */
  readonly mount: VolumeMount;
  readonly egress: NetworkPolicyBody['spec']['egress'];
}

/** Where every server finds its model. */
export const modelFolder = '/models';
const incoming = `${modelFolder}/.incoming`;
const temporary = { name: 'fetch-tmp', mountPath: '/tmp' };

/**
 * Init containers that bring a model into the pod: one for each file, then one that verifies all of them and only then puts them in place. A
 * file with another digest ends the pod's start, so nothing unverified is ever where the server looks. Everything from outside reaches the
 * scripts as a variable of the environment, never as part of their text.
 */
export function modelFetch({ files, folders = [], written, size, images }: FetchOptions): FetchPlan {
  const fetched = files.flatMap((file, index) => {
    const location = locationOf(file);
    return location === undefined ? [] : [{ file, location, index, target: `${incoming}/${index}` }];
  });
  const lines = fetched.map(
    ({ file, index }) => `${file.sha256} ${index} ${file.unpack === true ? 'unpack' : 'move'} ${file.path}`,
  );
  const claims = [...new Set(fetched.flatMap(({ location }) => location.claim ?? []))];
  const registries = [...new Set(fetched.flatMap(({ file }) => file.registrySecret ?? []))];
  return {
    initContainers: [
      ...fetched.map(({ file, location, index, target }) => fetchContainer(file, location, index, target, images)),
      {
        name: 'verify-model',
        ...program(images.verify, verifyScript),
        env: [
          { name: 'MODEL_FOLDER', value: modelFolder },
          { name: 'FILES', value: lines.join('\n') },
          { name: 'FOLDERS', value: folders.join('\n') },
          { name: 'WRITTEN', value: (written?.files ?? []).map(({ key, path }) => `${key} ${path}`).join('\n') },
        ],
        volumeMounts: [
          { name: 'model', mountPath: modelFolder },
          ...(written === undefined ? [] : [{ name: 'model-files', mountPath: '/written', readOnly: true }]),
        ],
      },
    ],
    volumes: [
      { name: 'model', emptyDir: { sizeLimit: size } },
      { name: temporary.name, emptyDir: { sizeLimit: '64Mi' } },
      ...(written === undefined ? [] : [{ name: 'model-files', configMap: { name: written.configMap } }]),
      ...claims.map((claimName) => ({
        name: `claim-${claimName}`,
        persistentVolumeClaim: { claimName, readOnly: true },
      })),
      ...registries.map((secretName) => ({
        name: `registry-${secretName}`,
        secret: { secretName, defaultMode: 0o440, items: [{ key: '.dockerconfigjson', path: 'config.json' }] },
      })),
    ],
    mount: { name: 'model', mountPath: modelFolder, readOnly: true },
    egress: egressTo(fetched.flatMap(({ location }) => location.port ?? [])),
  };
}

/** Where a file goes that nobody gave a path. */
export function placed(file: ModelFile, path = fileName(file)): ModelFile & { readonly path: string } {
  return { ...file, path: file.path ?? path };
}

/** Name lookup and these ports, anywhere: buckets and registries have no fixed addresses. */
export function egressTo(ports: readonly number[]): NetworkPolicyBody['spec']['egress'] {
  if (ports.length === 0) return [];
  return [
    dnsLookup,
    { ports: [...new Set(ports)].toSorted((a, b) => a - b).map((port) => ({ port, protocol: 'TCP' as const })) },
  ];
}

export const dnsLookup: NetworkPolicyBody['spec']['egress'][number] = {
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

const resources: Resources = {
  requests: { cpu: '100m', memory: '256Mi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '128Mi' },
};

function program(
  image: string,
  script: string,
): Pick<
  Container,
  'image' | 'imagePullPolicy' | 'command' | 'resources' | 'securityContext' | 'terminationMessagePolicy'
> {
  return {
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-euc', script],
    resources,
    securityContext: containerSecurity,
    // What a script wrote last is then what `kubectl describe pod` shows.
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

const fetchScripts: Readonly<Record<Scheme, string>> = {
  s3: `mkdir -p "$(dirname "$TARGET")"
aws s3 cp --only-show-errors "$SOURCE" "$TARGET"`,
  http: `mkdir -p "$(dirname "$TARGET")"
headers() { if [ -n "\${TOKEN:-}" ]; then printf 'Authorization: Bearer %s\\n' "$TOKEN"; fi; }
headers | curl --fail --silent --show-error --location --proto '=https,http' --retry 5 --retry-all-errors \\
  --connect-timeout 10 --header @- --output "$TARGET" -- "$SOURCE"`,
  pvc: `mkdir -p "$(dirname "$TARGET")"
cp -- "/claim/$SOURCE" "$TARGET"`,
  oci: `mkdir -p "$TARGET.artifact"
oras pull --output "$TARGET.artifact" \${REGISTRY_CONFIG:+--registry-config "$REGISTRY_CONFIG"} "$SOURCE"
mv -- "$TARGET.artifact/$ARTIFACT_FILE" "$TARGET"
rm -rf -- "$TARGET.artifact"`,
};

/** Reads lines from variables: `digest number how path`, `folder`, `key path`. */
const verifyScript = `umask 022
cd "$MODEL_FOLDER"
put() { mkdir -p "$(dirname "$1")"; }
printf '%s\\n' "$FILES" | while read -r digest number how path; do
  [ -n "$digest" ] || continue
  found="$(sha256sum ".incoming/$number" | cut -d ' ' -f 1)"
  if [ "$found" != "$digest" ]; then
    rm -rf .incoming
    echo "$path is not the model that was released: its SHA-256 is $found, expected $digest. Check the uri, or correct sha256." >&2
    exit 1
  fi
  echo "$path: $digest"
done
printf '%s\\n' "$FILES" | while read -r digest number how path; do
  [ -n "$digest" ] || continue
  put "$path"
  if [ "$how" = unpack ]; then mkdir -p "$path"; tar -xf ".incoming/$number" -C "$path"; rm ".incoming/$number"
  else mv ".incoming/$number" "$path"; fi
done
printf '%s\\n' "$FOLDERS" | while read -r path; do [ -z "$path" ] || mkdir -p "$path"; done
printf '%s\\n' "$WRITTEN" | while read -r key path; do
  [ -n "$key" ] || continue
  put "$path"
  cp "/written/$key" "$path"
done
rm -rf .incoming`;

function fetchContainer(
  { s3, token, registrySecret }: ModelFile,
  { scheme, source, claim, file }: Location,
  index: number,
  target: string,
  images: FetchImages,
): Container {
  const value = (name: string, text: string | undefined): readonly EnvVar[] =>
    text === undefined ? [] : [{ name, value: literal(text) }];
  const secret = (name: string, key: ModelFile['token']): readonly EnvVar[] =>
    key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: key } }];
  return {
    name: index === 0 ? 'fetch-model' : `fetch-model-${index + 1}`,
    ...program(scheme === 'pvc' ? images.verify : images[scheme], fetchScripts[scheme]),
    env: [
      { name: 'SOURCE', value: literal(source) },
      { name: 'TARGET', value: target },
      { name: 'HOME', value: temporary.mountPath },
      ...value('ARTIFACT_FILE', file),
      ...value('REGISTRY_CONFIG', registrySecret === undefined ? undefined : '/registry/config.json'),
      ...value('AWS_REGION', s3?.region),
      ...value('AWS_ENDPOINT_URL_S3', s3?.endpoint),
      ...secret('AWS_ACCESS_KEY_ID', s3?.credentials?.accessKeyId),
      ...secret('AWS_SECRET_ACCESS_KEY', s3?.credentials?.secretAccessKey),
      ...secret('TOKEN', token),
    ],
    volumeMounts: [
      { name: 'model', mountPath: modelFolder },
      temporary,
      ...(claim === undefined ? [] : [{ name: `claim-${claim}`, mountPath: '/claim', readOnly: true }]),
      ...(registrySecret === undefined
        ? []
        : [{ name: `registry-${registrySecret}`, mountPath: '/registry', readOnly: true }]),
    ],
  };
}
