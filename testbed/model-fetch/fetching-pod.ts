import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chart } from 'cdk8s';
import { manifestsOf, one } from '../../constructs/kubernetes/fixtures/test-chart.ts';
import { fetchImages, type ModelFile, OnnxDeployment } from '../../constructs/kubernetes/index.ts';
import type { PodSpec } from '../../constructs/kubernetes/pod/pod-spec.ts';
import { type ClusterKeys, clusterKeys } from '../kubernetes/credentials.ts';
import { type Image, type InitContainers, initContainers, type Surroundings } from './container.ts';
import { toolImages } from './tool-images.ts';

/** Where a model's file is in the volume of a pod that `onnxPod` renders. */
export const served = 'churn/3/model.onnx';

/** Runs the init containers of pods as constructs render them, with the real programs. */
export interface FetchingPods extends Disposable {
  /** The authority that the programs trust, and the certificate of `localhost` by it. */
  readonly keys: ClusterKeys;
  start(pod: PodSpec, surroundings?: Omit<Surroundings, 'image'>): Promise<InitContainers>;
}

/** What is fetched with; verified is always. */
type Kind = Exclude<keyof typeof fetchImages, 'verify'>;

/** Brings what they need of so many kinds of stores: a minute where nothing of it is in the cache. */
export async function fetchingPods(...kinds: readonly Kind[]): Promise<FetchingPods> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fetch-'));
  const keys = await clusterKeys();
  const images = toolImages(folder, keys.ca);
  const byName = new Map<string, Image>();
  for (const kind of ['verify', ...kinds] as const) byName.set(fetchImages[kind], await images[kind]());
  return {
    keys,
    start: (pod, surroundings = {}) =>
      initContainers(pod, {
        ...surroundings,
        image: (name) => {
          const image = byName.get(name.replace(/@.*$/, ''));
          if (image === undefined) throw new Error(`There is no stand-in for the image ${name}.`);
          return image;
        },
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The default images, pinned as users should: what is run is the stand-in. */
export const pinnedImages = Object.fromEntries(
  Object.entries(fetchImages).map(([kind, image]) => [kind, `${image}@sha256:${'b'.repeat(64)}`]),
);

/** The pod of the construct that a chart gets. */
export function podOf(build: (chart: Chart) => unknown): PodSpec {
  return one(manifestsOf(build), 'Deployment')['spec'].template.spec as PodSpec;
}

/** The pod of an `OnnxDeployment` with this file and others beside it. */
export function onnxPod(file: ModelFile, externalData: readonly ModelFile[] = []): PodSpec {
  return podOf((chart) => {
    new OnnxDeployment(chart, 'churn', {
      image: `registry.example.com/sluice-serve:1.4.0@sha256:${'a'.repeat(64)}`,
      model: { name: 'churn', version: '3' },
      modelVolume: '64Mi',
      cpu: 1,
      memory: '512Mi',
      file,
      externalData,
      fetchImages: pinnedImages,
    });
  });
}

/** Bytes that no compression makes less of. */
export function content(bytes: number): Buffer {
  return randomBytes(bytes);
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Where fetched files wait until they are verified, and what is left of that; no server is started before they are gone. */
const waiting = /^\.(?:incoming|placed)\//;

/** What the server would find: the SHA-256 of every file in the model's volume, by its path. */
export function servedFiles(pod: InitContainers): Readonly<Record<string, string>> {
  const all = Object.entries(filesOf(pod));
  return Object.fromEntries(all.filter(([path]) => !waiting.test(path)));
}

/** The same with those that wait. */
export function filesOf(pod: InitContainers): Readonly<Record<string, string>> {
  const folder = pod.folder('model');
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), sha256(readFileSync(path))]),
  );
}
