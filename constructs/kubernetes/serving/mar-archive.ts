import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkServiceName, identityFor, labelsOf, selectorOf } from '../labels.ts';
import { type JobBody, job, type NetworkPolicyBody } from '../native.ts';
import { outboundPolicy } from '../outbound-policy.ts';
import { type FetchImages, fetchImages, modelFetch, modelFolder } from '../pod/model-fetch.ts';
import { fileName, type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory, memoryOf } from '../quantity.ts';
import type { ModelIdentity } from './serving-props.ts';

export interface MarArchiveProps {
  /** Has sh and torch-model-archiver: an image of TorchServe. */
  readonly image: string;
  readonly model: ModelIdentity;
  /** A TorchScript or state_dict file. */
  readonly weights: ModelFile;
  /** The program that answers requests: a Python file, or one of TorchServe's own. */
  readonly handler: ModelFile | 'image_classifier' | 'text_classifier' | 'object_detector' | 'image_segmenter';
  /** More files for the archive. */
  readonly extraFiles?: readonly ModelFile[];
  /** The claim the `.mar` is written to, as `<model.name>-<model.version>.mar`. */
  readonly claim: string;
  /** @default 2Gi */
  readonly volume?: Memory;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * A Job that makes the `.mar` archive TorchServe wants, from verified files, and writes it to a claim with its SHA-256 beside it and in the log:
 * what `TorchServeDeployment` then asks for.
 */
export class MarArchive extends Construct {
  readonly workload: KubernetesObject<JobBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: MarArchiveProps) {
    super(scope, id);
    const { image, model, weights, handler, extraFiles = [], claim } = props;
    const findings = new Findings(this, 'MarArchive');
    checkServiceName(id, findings);
    findings.add(...modelFileProblems(weights, 'weights'));
    if (typeof handler !== 'string') findings.add(...modelFileProblems(handler, 'handler'));
    findings.add(...extraFiles.flatMap((file, index) => modelFileProblems(file, `extraFiles[${index}]`, true)));
    findings.throwIfAny();

    const volume = props.volume ?? '2Gi';
    const extra = extraFiles.map((file) => `extra/${file.path ?? fileName(file)}`);
    const fetch = modelFetch({
      files: [
        { ...weights, path: 'weights.pt' },
        ...(typeof handler === 'string' ? [] : [{ ...handler, path: 'handler.py' }]),
        ...extraFiles.map((file, index) => ({ ...file, path: extra[index] ?? '' })),
      ],
      size: volume,
      images: { ...fetchImages, ...props.fetchImages },
    });
    findings.add(...fetch.problems);
    findings.throwIfAny();
    const identity = identityFor(model, { name: 'torch-model-archiver', instance: id, component: 'model-archive' });
    const labels = labelsOf(identity);
    const disk = memoryOf(2 * (bytesOf(volume) ?? 0) + 128 * 2 ** 20);
    const resources = { cpu: '1', memory: '2Gi', 'ephemeral-storage': disk };
    this.workload = new KubernetesObject(
      this,
      'job',
      job,
      { name: id, labels },
      {
        spec: {
          backoffLimit: 2,
          activeDeadlineSeconds: 3600,
          ttlSecondsAfterFinished: 24 * 3600,
          template: {
            metadata: { labels },
            spec: {
              restartPolicy: 'Never',
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity({ user: 1000, group: 1000 }),
              initContainers: fetch.initContainers,
              containers: [
                {
                  name: 'archive',
                  image,
                  imagePullPolicy: 'IfNotPresent',
                  command: ['/bin/sh', '-euc', archiveScript],
                  env: [
                    { name: 'MODEL', value: model.name },
                    { name: 'VERSION', value: model.version },
                    { name: 'WEIGHTS', value: `${modelFolder}/weights.pt` },
                    { name: 'HANDLER', value: typeof handler === 'string' ? handler : `${modelFolder}/handler.py` },
                    { name: 'EXTRA_FILES', value: extra.map((path) => `${modelFolder}/${path}`).join(',') },
                    { name: 'HOME', value: '/tmp' },
                  ],
                  resources: { requests: resources, limits: resources },
                  securityContext: containerSecurity,
                  terminationMessagePolicy: 'FallbackToLogsOnError',
                  volumeMounts: [
                    fetch.mount,
                    { name: 'archive', mountPath: '/archive' },
                    { name: 'tmp', mountPath: '/tmp' },
                  ],
                },
              ],
              volumes: [
                ...fetch.volumes,
                // The archiver copies everything there before it packs it.
                { name: 'tmp', emptyDir: { sizeLimit: volume } },
                { name: 'archive', persistentVolumeClaim: { claimName: claim } },
              ],
            },
          },
        },
      },
    );
    this.networkPolicy = outboundPolicy(
      this,
      'network-policy',
      { name: id, labels },
      { pods: selectorOf(identity), egress: fetch.egress },
    );
  }
}

const archiveScript = `torch-model-archiver --model-name "$MODEL-$VERSION" --version "$VERSION" --serialized-file "$WEIGHTS" \\
  --handler "$HANDLER" --export-path /archive --force \${EXTRA_FILES:+--extra-files "$EXTRA_FILES"}
cd /archive
sha256sum "$MODEL-$VERSION.mar" | tee "$MODEL-$VERSION.mar.sha256"`;
