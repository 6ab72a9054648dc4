import type { Labels } from '../labels.ts';
import type { DaemonSetBody } from '../native.ts';
import { gpuTaintKey } from '../pod/gpu.ts';
import { checkImage } from '../pod/image.ts';
import type { Container, Toleration, Volume } from '../pod/pod-spec.ts';
import type { Findings } from '../problem.ts';

/** Props of what runs on every GPU node. */
export interface NodeAgentProps {
  /** Tag and, best, digest. */
  readonly image: string;
  /**
   * Take an image without a version.
   * @default false
   */
  readonly allowMutableImage?: boolean;
  /** Labels of the nodes it runs on. @default every node that its tolerations let it on */
  readonly nodeSelector?: Labels;
  /** Besides the taint of GPU nodes. */
  readonly tolerations?: readonly Toleration[];
  /** Where NVIDIA's runtime is not the nodes' default: the RuntimeClass that is. @default none */
  readonly runtimeClass?: string;
  readonly imagePullSecrets?: readonly string[];
}

/** Adds what is wrong with the image. */
export function checkAgentImage(props: NodeAgentProps, findings: Findings): void {
  checkImage(props, findings, {
    message: 'what this image is may change under the same name, on a program with rights over nodes',
    fix: 'Add its digest (name:1.2.3@sha256:...).',
  });
}

/** What an agent writes on its node's disk: its log. */
export const agentDisk = { 'ephemeral-storage': '64Mi' };

/** A DaemonSet with one container: evicted last, without a token, a tenth of the nodes at a time when it changes. */
export function nodeAgent(
  { nodeSelector, tolerations = [], runtimeClass, imagePullSecrets }: NodeAgentProps,
  labels: Labels,
  selector: Labels,
  container: Container,
  volumes: readonly Volume[],
): DaemonSetBody {
  return {
    spec: {
      revisionHistoryLimit: 5,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          // A node without it is of no use to a GPU pod.
          priorityClassName: 'system-node-critical',
          runtimeClassName: runtimeClass,
          imagePullSecrets: imagePullSecrets?.map((name) => ({ name })),
          nodeSelector,
          tolerations: [{ key: gpuTaintKey, operator: 'Exists', effect: 'NoSchedule' }, ...tolerations],
          containers: [container],
          volumes,
        },
      },
    },
  };
}
