import type { NetworkPolicyBody } from '../native.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';
import { fileName, type Location, locationOf, type ModelFile, placeProblems, type Scheme } from './model-file.ts';
import { type Container, type EnvVar, literal, type Resources, type Volume, type VolumeMount } from './pod-spec.ts';
import { containerSecurity } from './security.ts';

/** The programs that fetch and verify. Each is run as a shell script; override one to take it from another registry or to pin its digest. */
export interface FetchImages {
  /** Has sh and aws, 1.29 or 2.13 or later. */
  readonly s3: string;
  /** Has sh and curl, 7.83 or later; from 8.4 on also an endless answer ends at the size of the volume. */
  readonly http: string;
  /** Has sh and oras, 1.2 or later. */
  readonly oci: string;
  /** Has sh, sha256sum, tar, gzip, od and the commands for files. */
  readonly verify: string;
}

export const fetchImages: FetchImages = {
  s3: 'public.ecr.aws/aws-cli/aws-cli:2.27.0',
  http: 'docker.io/curlimages/curl:8.13.0',
  oci: 'ghcr.io/oras-project/oras:v1.2.3',
  verify: 'docker.io/library/busybox:1.37.0',
};

/** What to do about images without digests where these are among them. */
export const digestFix =
  'Add their digests (name:1.2.3@sha256:...); those of init containers are set with fetchImages.';

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
  /** What keeps files from being put in their places. */
  readonly problems: readonly ConstructProblem[];
}

/** Where every server finds its model. */
export const modelFolder = '/models';
const incoming = `${modelFolder}/.incoming`;
/** What fetching writes besides the file. */
const fetchTemporary = { name: 'fetch-tmp', mountPath: '/tmp' };
/** Attempts at a file, with 1, 2, 4, ... seconds in between. */
const tries = 6;
/** Seconds in which less than a kilobyte a second comes. Registries that fetch a file themselves first are silent for long. */
const patience = 120;

/**
 * Init containers that bring a model into the pod: one for each file, then one that verifies all of them and only then puts them in place. A
 * file with another digest ends the pod's start, so nothing unverified is ever where the server looks. Each may be ended at any time and
 * started anew: Kubernetes does that, and then runs none of those again that had come to their end. Everything from outside reaches the
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
      ...fetched.map(({ file, location, index, target }) =>
        fetchContainer(
          file,
          location,
          {
            container: index === 0 ? 'fetch-model' : `fetch-model-${index + 1}`,
            target,
            volume: { name: 'model', mountPath: modelFolder },
            size,
          },
          images,
        ),
      ),
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
      { name: fetchTemporary.name, emptyDir: { sizeLimit: '64Mi' } },
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
    problems: placeProblems([...files.filter(({ unpack }) => unpack !== true), ...(written?.files ?? [])]),
  };
}

/** Where a file goes that nobody gave a path. */
export function placed(file: ModelFile, path = fileName(file)): ModelFile & { readonly path: string } {
  return { ...file, path: file.path ?? path };
}

/** Name lookup and these ports, anywhere: buckets and registries have no fixed addresses. With HTTPS also who lends a pod its rights to buckets. */
export function egressTo(ports: readonly number[]): NetworkPolicyBody['spec']['egress'] {
  if (ports.length === 0) return [];
  return [
    dnsLookup,
    { ports: [...new Set(ports)].toSorted((a, b) => a - b).map((port) => ({ port, protocol: 'TCP' as const })) },
    ...(ports.includes(443) ? [podIdentityAgent] : []),
  ];
}

/**
 * The agent of EKS Pod Identity on the pod's node. Policies hold for it too, and without it every request for credentials waits in vain. It has
 * nothing for pods that no role is associated with. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
 */
const podIdentityAgent: NetworkPolicyBody['spec']['egress'][number] = {
  to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
  ports: [{ port: 80, protocol: 'TCP' }],
};

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

/** Clears what an earlier attempt left, and what was verified of an earlier fetch. The last line says why a fetch failed. */
const fetching = `rm -rf "$TARGET" "$TARGET".* "\${TARGET%/*}/placing"
mkdir -p "\${TARGET%/*}"
failed() { echo "$NAME could not be fetched from $FROM: $1" >&2; exit 1; }
tried=0
again() {
  tried=$((tried + 1))
  [ "$tried" -lt "$TRIES" ] || return 1
  sleep "$((1 << (tried - 1)))"
}
`;

const fetchScripts: Readonly<Record<Scheme, string>> = {
  // The first version of the command knows the region by its older name only. cp takes no object's version, and get-object, which does, takes
  // up no broken connection. What is "an error occurred (...)" was said by the service, and asked for again by the command where that may help.
  s3: `${fetching}if [ -n "\${AWS_REGION:-}" ]; then export AWS_DEFAULT_REGION="$AWS_REGION"; fi
if [ -z "\${VERSION:-}" ]; then
  aws s3 cp --only-show-errors "$SOURCE" "$TARGET" || failed "aws s3 cp ended with code $?."
  exit 0
fi
object="\${SOURCE#s3://}"
while ! said="$(aws s3api get-object --bucket="\${object%%/*}" --key="\${object#*/}" --version-id="$VERSION" "$TARGET" 2>&1 > /dev/null)"; do
  echo "$said" >&2
  case "$said" in *'An error occurred ('*) failed "no version $VERSION for this pod." ;; esac
  again || failed "version $VERSION, $tried times."
done`,
  // Codes of curl: https://curl.se/libcurl/c/libcurl-errors.html. 33: the server cannot go on where the connection broke.
  http: `${fetching}headers() { if [ -n "\${TOKEN:-}" ]; then printf 'Authorization: Bearer %s\\n' "$TOKEN"; fi; }
case "$SOURCE" in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
while :; do
  code=0
  status="$(headers | curl --disable --globoff --fail --silent --show-error --location --max-redirs 10 --proto "$protocols" \\
    --connect-timeout 10 --speed-limit 1024 --speed-time "$PATIENCE" --max-filesize "$LIMIT" --continue-at - \\
    --header @- --write-out '%{http_code}' --output "$TARGET" -- "$SOURCE")" || code=$?
  case "$code:$status" in
    0:*) break ;;
    33:*) rm -f "$TARGET"; continue ;;
    22:416) rm -f "$TARGET" ;;
    22:408 | 22:429 | 22:5??) ;;
    [567]:* | 16:* | 18:* | 28:* | 35:* | 52:* | 55:* | 56:* | 92:*) ;;
    22:*) failed "HTTP $status." ;;
    63:*) failed "it is larger than the volume for it, $LIMIT bytes." ;;
    *) failed "curl ended with code $code." ;;
  esac
  again || failed "curl ended with code $code, HTTP $status, $tried times."
done`,
  pvc: `${fetching}cp -- "/claim/$SOURCE" "$TARGET" || failed "it is no file that can be read there."`,
  // One file of an artifact is fetched alone where it has a layer for itself; of a folder, which is one layer, everything is.
  oci: `${fetching}repository="\${SOURCE%@*}"
case "\${repository##*/}" in *:*) repository="\${repository%:*}" ;; esac
registry() { oras "$@" \${REGISTRY_CONFIG:+--registry-config "$REGISTRY_CONFIG"}; }
layers='{{range $layer := .content.layers}}{{with $layer.annotations}}{{if eq (get . "org.opencontainers.image.title") (env "ARTIFACT_FILE")}}{{$layer.digest}}{{"\\n"}}{{end}}{{end}}{{end}}'
digests="$(registry manifest fetch --format go-template --template "$layers" "$SOURCE")" || failed "its manifest cannot be read."
digest="$(printf '%s' "$digests" | head -n 1)"
fetch() {
  if [ -n "$digest" ]; then registry blob fetch --output "$TARGET" "$repository@$digest"; return; fi
  registry pull --output "$TARGET.artifact" "$SOURCE" > /dev/null || return 1
  [ -f "$TARGET.artifact/$ARTIFACT_FILE" ] || failed "the artifact has no file $ARTIFACT_FILE."
  mv "$TARGET.artifact/$ARTIFACT_FILE" "$TARGET" && rm -rf "$TARGET.artifact"
}
until fetch; do again || failed "oras failed $tried times."; done`,
};

/**
 * Reads lines from variables: `digest number how path`, `folder`, `key path`. The model is first built in a folder of its own, from which its
 * parts are renamed into their places. A file that was verified and is gone from where it came is there: `placing/<number>` says so, should
 * this be ended halfway.
 */
const verifyScript = `umask 022
cd "$MODEL_FOLDER"
placing=.incoming/placing
ready=$placing/ready
files() { if [ -n "$FILES" ]; then printf '%s\\n' "$FILES"; fi; }
rm -rf .placed
if [ -n "$FILES" ] && [ ! -e .incoming ]; then
  files | while read -r digest number how path; do
    [ -e "./$path" ] || { echo "$path was not fetched." >&2; exit 1; }
  done
  exit 0
fi
mkdir -p "$ready"
if [ -e $placing/refused ]; then
  rm -rf .incoming/[0-9]*
  cat $placing/refused >&2
  exit 1
fi
if [ ! -e $placing/complete ]; then
  files | while read -r digest number how path; do
    if [ ! -e ".incoming/$number" ]; then
      [ -e "$placing/$number" ] || { echo "$path was not fetched." >&2; exit 1; }
      continue
    fi
    found="$(sha256sum < ".incoming/$number")"
    found="\${found%% *}"
    if [ "$found" != "$digest" ]; then
      echo "$path is not the model that was released: its SHA-256 is $found, expected $digest. Put the released file at its uri, or correct sha256; then delete the pod, for a pod fetches once." > $placing/refused.new
      mv $placing/refused.new $placing/refused
      rm -rf .incoming/[0-9]*
      cat $placing/refused >&2
      exit 1
    fi
    echo "$path: $digest"
  done
  put() { mkdir -p "$(dirname "$ready/$1")"; }
  files | while read -r digest number how path; do
    [ -e ".incoming/$number" ] || continue
    put "$path"
    if [ "$how" = unpack ]; then
      mkdir -p "$ready/$path"
      # Not every tar sees by itself that an archive is compressed.
      case "$(od -An -N2 -tx1 ".incoming/$number")" in *1f*8b*) how=xzf ;; *) how=xf ;; esac
      tar "-$how" ".incoming/$number" -C "$ready/$path"
      : > "$placing/$number"
      rm ".incoming/$number"
    else
      : > "$placing/$number"
      mv ".incoming/$number" "$ready/$path"
    fi
  done
  printf '%s\\n' "$FOLDERS" | while read -r path; do [ -z "$path" ] || mkdir -p "$ready/$path"; done
  printf '%s\\n' "$WRITTEN" | while read -r key path; do
    [ -n "$key" ] || continue
    put "$path"
    cp "/written/$key" "$ready/$path"
  done
  : > $placing/complete
fi
for part in $ready/* $ready/.[!.]* $ready/..?*; do
  [ -e "$part" ] || continue
  rm -rf "./\${part##*/}"
  mv "$part" "./\${part##*/}"
done
mv .incoming .placed
rm -rf .placed`;

/** One fetch: what the container is called, where it writes, and how large the volume there is. */
export interface FetchStep {
  readonly container: string;
  /** Its folder holds nothing but what is fetched: what an earlier attempt left is cleared. */
  readonly target: string;
  readonly volume: VolumeMount;
  readonly size: Memory;
}

/** The container that fetches one file, whatever becomes of it then. */
export function fetchContainer(
  { path, s3, token, registrySecret }: Pick<ModelFile, 'path' | 's3' | 'token' | 'registrySecret'>,
  { scheme, source, shown, claim, file }: Location,
  { container, target, volume, size }: FetchStep,
  images: FetchImages,
): Container {
  const value = (name: string, text: string | undefined): readonly EnvVar[] =>
    text === undefined ? [] : [{ name, value: literal(text) }];
  const secret = (name: string, key: ModelFile['token']): readonly EnvVar[] =>
    key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: key } }];
  return {
    name: container,
    ...program(scheme === 'pvc' ? images.verify : images[scheme], fetchScripts[scheme]),
    env: [
      { name: 'SOURCE', value: literal(source) },
      { name: 'TARGET', value: target },
      ...value('NAME', path),
      { name: 'FROM', value: literal(shown) },
      { name: 'TRIES', value: String(tries) },
      ...(scheme === 'http'
        ? [
            { name: 'PATIENCE', value: String(patience) },
            { name: 'LIMIT', value: String(bytesOf(size) ?? 0) },
          ]
        : []),
      { name: 'HOME', value: fetchTemporary.mountPath },
      ...value('ARTIFACT_FILE', file),
      ...value('REGISTRY_CONFIG', registrySecret === undefined ? undefined : '/registry/config.json'),
      ...value('VERSION', s3?.version),
      ...value('AWS_REGION', s3?.region),
      ...value('AWS_ENDPOINT_URL_S3', s3?.endpoint),
      ...secret('AWS_ACCESS_KEY_ID', s3?.credentials?.accessKeyId),
      ...secret('AWS_SECRET_ACCESS_KEY', s3?.credentials?.secretAccessKey),
      ...secret('TOKEN', token),
    ],
    volumeMounts: [
      volume,
      fetchTemporary,
      ...(claim === undefined ? [] : [{ name: `claim-${claim}`, mountPath: '/claim', readOnly: true }]),
      ...(registrySecret === undefined
        ? []
        : [{ name: `registry-${registrySecret}`, mountPath: '/registry', readOnly: true }]),
    ],
  };
}
