import { excerpt } from '../../../core/text/index.ts';
import type { ConstructProblem } from '../problem.ts';
import type { SecretKey } from './pod-spec.ts';

/** A file that is fetched and verified before the server starts. */
export interface ModelFile {
  /**
   * Where it is:
   * - `s3://bucket/key`, read with the pod's own rights (IRSA, Pod Identity) unless `credentials` says otherwise
   * - `https://host/path`; `http://` without a token
   * - `pvc://claim/path`, a file on a volume of the namespace
   * - `oci://registry/repository:tag#file` or `...@sha256:...#file`, a file of an artifact as `oras push` makes it
   */
  readonly uri: string;
  /** 64 hexadecimal digits, as `sha256sum` prints them. A file that has another never gets to the server: the pod does not start. */
  readonly sha256: string;
  /**
   * Its place in the model folder.
   * @default chosen by the construct, else the file's name
   */
  readonly path?: string;
  /**
   * It is a .tar or .tar.gz to be unpacked at `path`.
   * @default false
   */
  readonly unpack?: boolean;
  /** For `https://`: the Secret with a bearer token. */
  readonly token?: SecretKey;
  /** For `s3://`: of another region than the pod's, or another service than AWS. */
  readonly s3?: {
    /** Of a versioned bucket: this version of the object, whatever was written over it since. Needs `s3:GetObjectVersion`. */
    readonly version?: string;
    readonly region?: string;
    readonly endpoint?: string;
    /** Keys, where the pod's service account has no role. */
    readonly credentials?: { readonly accessKeyId: SecretKey; readonly secretAccessKey: SecretKey };
  };
  /** For `oci://`: a Secret of type kubernetes.io/dockerconfigjson. */
  readonly registrySecret?: string;
}

export type Scheme = 's3' | 'http' | 'pvc' | 'oci';

/** What a URI says. */
export interface Location {
  readonly scheme: Scheme;
  /** S3, HTTP: the whole; PVC: the path on the volume; OCI: the reference without scheme and file. */
  readonly source: string;
  /** For people: without what may be secret in a URL, its query and its user. */
  readonly shown: string;
  /** PVC. */
  readonly claim?: string;
  /** OCI: the file in the artifact. */
  readonly file?: string;
  /** TCP port that must be reached; absent: none. */
  readonly port?: number;
}

/** Reads a URI; undefined: it is of none of the forms. */
export function locationOf({ uri, s3 }: ModelFile): Location | undefined {
  if (/[\s\u0000-\u001f]/.test(uri)) return undefined;
  if (/^s3:\/\/[^/]+\/.*[^/]$/.test(uri)) {
    return { scheme: 's3', source: uri, shown: uri, port: portOf(s3?.endpoint ?? 'https://s3') };
  }
  if (/^https?:\/\/[^/]+\//.test(uri) && URL.canParse(uri)) {
    const { protocol, host, pathname } = new URL(uri);
    return { scheme: 'http', source: uri, shown: `${protocol}//${host}${pathname}`, port: portOf(uri) };
  }
  const claim = /^pvc:\/\/([a-z0-9][a-z0-9.-]*)\/(.+)$/.exec(uri);
  if (claim?.[1] !== undefined && claim[2] !== undefined && isInside(claim[2])) {
    return { scheme: 'pvc', source: claim[2], shown: uri, claim: claim[1] };
  }
  const artifact =
    /^oci:\/\/([^#@]+\/[^#/@:]+(?::\w[\w.-]*(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64}))#([^#]+)$/.exec(uri);
  const [, source, file] = artifact ?? [];
  if (source !== undefined && file !== undefined && isInside(file) && URL.canParse(`https://${source}`)) {
    return { scheme: 'oci', source, shown: uri, file, port: portOf(`https://${source}`) };
  }
  return undefined;
}

/** The TCP port an address asks for; 443 for what is no URL, which is a problem of its own. */
export function portOf(url: string): number {
  if (!URL.canParse(url)) return 443;
  const { protocol, port } = new URL(url);
  return port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
}

/** The last part of the path. */
export function fileName({ uri }: ModelFile): string {
  const path = /^https?:/.test(uri) ? uri.replace(/[?#].*$/s, '') : uri;
  return path.split(/[/#]/).at(-1) ?? '';
}

/** A relative path in plain characters that stays where it is put. */
function isInside(path: string): boolean {
  return /^[A-Za-z0-9._+@=-]+(?:\/[A-Za-z0-9._+@=-]+)*$/.test(path) && !path.split('/').some((part) => part === '..');
}

/**
 * What keeps a file from being fetched or verified.
 * @param prop what users call it
 * @param named where it has no path it goes by the last part of its URI
 */
export function modelFileProblems(file: ModelFile, prop: string, named = false): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const location = locationOf(file);
  if (location === undefined) {
    problems.push({
      code: 'bad-model-uri',
      message: `${prop}.uri is nowhere a model can be fetched from`,
      found: excerpt(file.uri),
      expected: 's3://bucket/key, https://host/path, pvc://claim/path or oci://registry/repository:tag#file',
      fix: 'Write it in one of these forms.',
    });
  }
  if (!/^[0-9a-f]{64}$/.test(file.sha256)) {
    problems.push({
      code: 'bad-sha256',
      message: `${prop}.sha256 is no SHA-256, so the model could not be verified`,
      found: excerpt(file.sha256),
      expected: '64 small hexadecimal digits',
      fix: 'Copy the first word of what sha256sum prints.',
    });
  }
  if (file.path !== undefined && !isInside(file.path)) {
    problems.push({
      code: 'bad-model-path',
      message: `${prop}.path leaves the model folder, or has characters other than letters, digits and ._+@=-`,
      found: excerpt(file.path),
      fix: 'Write a relative path without "..".',
    });
  }
  if (named && location !== undefined && file.path === undefined && !isInside(fileName(file))) {
    problems.push({
      code: 'bad-model-path',
      message: `${prop}.uri ends in nothing that could be the name of a file in the model folder`,
      found: excerpt(fileName(file)),
      expected: 'letters, digits and ._+@=-',
      fix: `Set ${prop}.path to the place it is to have.`,
    });
  }
  if (
    file.s3?.endpoint !== undefined &&
    !(/^https?:\/\/\S+$/.test(file.s3.endpoint) && URL.canParse(file.s3.endpoint))
  ) {
    problems.push({
      code: 'bad-endpoint',
      message: `${prop}.s3.endpoint is no address of a service`,
      found: excerpt(file.s3.endpoint),
      expected: 'https://host, http://host:port',
      fix: 'Write scheme and host, and the port where it is another.',
    });
  }
  if (file.token !== undefined && location !== undefined && !file.uri.startsWith('https://')) {
    problems.push({
      code: 'token-in-clear',
      message: `${prop}.token would be sent where nobody asks for it, or in clear text`,
      found: excerpt(file.uri),
      expected: 'https://',
      fix: 'Use an https:// address, or leave the token out.',
    });
  }
  return problems;
}

/** Folders that fetching has for itself in the model folder. */
const reserved = ['.incoming', '.placed'];

/** What keeps files from standing side by side in the model folder. */
export function placeProblems(files: readonly { readonly path: string }[]): readonly ConstructProblem[] {
  const paths = files.map(({ path }) => path);
  const problems: ConstructProblem[] = [];
  for (const [index, path] of paths.entries()) {
    const other = paths.find((each, at) => (at < index && each === path) || path.startsWith(`${each}/`));
    if (other !== undefined) {
      problems.push({
        code: 'same-model-path',
        message: 'two files have the same place in the model folder, or one is where the other has its folder',
        found: excerpt(other === path ? path : `${other} and ${path}`),
        fix: 'Give one of them another path.',
      });
    }
    if (path === '.' || reserved.includes(path.split('/')[0] ?? '')) {
      problems.push({
        code: 'bad-model-path',
        message: 'a file has a place in the model folder that is not for files',
        found: excerpt(path),
        fix: `Choose a path that is not "." and does not begin with ${reserved.join(' or ')}.`,
      });
    }
  }
  return problems;
}
