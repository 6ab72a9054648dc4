import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { goModule, goProgram } from '../../go-program.ts';

/** https://kwok.sigs.k8s.io: plays the kubelets of nodes that are not there. */
const module = 'sigs.k8s.io/kwok';
const version = 'v0.8.0';

/** `kwok v0.8.0` */
export const kwokTitle = `kwok ${version}`;

/**
 * kwok itself: from the cache, else built there once with Go (two minutes).
 * @throws when it is not there and cannot be built, with what to do
 */
export function kwokBinary(): Promise<string> {
  return goProgram({ name: 'kwok', from: { module }, version, command: './cmd/kwok', go: '1.26' });
}

/** What kwok does with nodes and pods, from its own release: a pod's init containers, a Job's end and the deletion. */
const stages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/general/pod-create.yaml',
  'pod/general/pod-init-container-running.yaml',
  'pod/general/pod-init-container-completed.yaml',
  'pod/general/pod-complete.yaml',
  'pod/general/pod-delete.yaml',
] as const;

interface Stage {
  readonly spec: {
    readonly resourceRef: { readonly kind: string };
    readonly delay?: {
      readonly durationMilliseconds: number;
      readonly jitterDurationMilliseconds?: number;
      readonly jitterDurationFrom?: { readonly expressionFrom: string };
    };
  };
}

/** kwok's configuration: its own stages, and what is between them in `servers.yaml`. */
export async function kwokStages(): Promise<string> {
  const folder = join(await goModule(`${module}@${version}`), 'kustomize', 'stage');
  return [...stages.map((file) => join(folder, file)), join(import.meta.dirname, 'servers.yaml')]
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')))
    .map((document) => stringify(withoutWaiting(document.toJS() as Stage)))
    .join('---\n');
}

/** Pods go on at once where their annotations tell no delay (`paceOf`), and not after up to six seconds; nodes keep their pace. */
function withoutWaiting(stage: Stage): Stage {
  const { resourceRef, delay } = stage.spec;
  if (resourceRef.kind !== 'Pod' || delay === undefined) return stage;
  const { jitterDurationFrom, jitterDurationMilliseconds: _, ...rest } = delay;
  const jitter = jitterDurationFrom?.expressionFrom.includes('annotations') ? { jitterDurationFrom } : {};
  return { ...stage, spec: { ...stage.spec, delay: { ...rest, durationMilliseconds: 0, ...jitter } } };
}

/** A span of time that chance picks from, in seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How long the steps of a pod take, in seconds; what is left out happens at once. */
export interface Pace {
  /** From the end of its init containers until it is ready: a model loads. */
  readonly ready?: Span;
  /** From when it is to go until it is gone: requests on their way finish. */
  readonly gone?: number;
  /** From when it is ready until its server dies and stays dead. @default never */
  readonly stopped?: number;
}

/** Longer than any test. */
const never = 24 * 3600;
/** A server that never gets ready. */
export const neverReady: Pace = { ready: { from: never, to: never } };

/** Annotations of a pod by which kwok keeps this pace. */
export function paceOf({ ready, gone, stopped }: Pace): Readonly<Record<string, string>> {
  const delay = (stage: string, { from, to }: Span): readonly (readonly [string, string])[] => [
    [`${stage}.stage.kwok.x-k8s.io/delay`, `${from}s`],
    [`${stage}.stage.kwok.x-k8s.io/jitter-delay`, `${to}s`],
  ];
  return Object.fromEntries([
    ...(ready === undefined ? [] : delay('pod-ready', ready)),
    ...(gone === undefined ? [] : [[`pod-delete.stage.kwok.x-k8s.io/delay`, `${gone}s`] as const]),
    ...(stopped === undefined ? [] : [[`pod-stopping.stage.kwok.x-k8s.io/delay`, `${stopped}s`] as const]),
  ]);
}
