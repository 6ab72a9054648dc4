import { type FetchImages, fetchContainer } from '../pod/model-fetch.ts';
import { locationOf, type ModelFile } from '../pod/model-file.ts';
import type { Container, Volume, VolumeMount } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';

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
  return {
    ...fetched,
    ...(location.port === undefined ? {} : { port: location.port }),
    initContainers: [
      fetchContainer(
        { path: `current${extension}`, ...(s3 === undefined ? {} : { s3 }), ...(token === undefined ? {} : { token }) },
        location,
        { container: 'fetch-current', target: path, volume: { name: 'current', mountPath: folder }, size },
        images,
      ),
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
