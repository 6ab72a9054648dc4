import type { Labels } from '../labels.ts';
import type { ConstructProblem } from '../problem.ts';
import { type GpuName, gpuProduct } from './gpu-products.ts';
import type { Affinity, Toleration } from './pod-spec.ts';

/** The GPUs of one pod. */
export interface GpuProps {
  /**
   * GPUs, or slices of one.
   * @default 1
   */
  readonly count?: 1 | 2 | 4 | 8;
  /** Which GPU. @default any that the cluster has */
  readonly product?: GpuName;
  /** A MIG profile, such as `1g.10gb`, on nodes whose device plugin runs with the "mixed" strategy. */
  readonly mig?: string;
  /** A share of a time-sliced GPU, on nodes whose device plugin renames shared GPUs (`renameByDefault`). */
  readonly shared?: boolean;
  /**
   * Who labels the nodes: NVIDIA's GPU feature discovery (nodes that are there), or Karpenter on AWS (also nodes that are yet to come).
   * @default 'gpu-feature-discovery'
   */
  readonly labels?: 'gpu-feature-discovery' | 'karpenter-aws';
  /** Labels the node must have besides: `{ 'gpu-type': 'a100' }`. */
  readonly nodeSelector?: Labels;
}

/** What a pod needs to land on its GPU and on no other node. */
export interface GpuPlacement {
  readonly resource: string;
  readonly count: number;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  readonly affinity?: Affinity;
}

/** The taint of GPU nodes: `nvidia.com/gpu`, whatever its value. */
export const gpuTaintKey = 'nvidia.com/gpu';

/** The extended resource that is asked for. */
export function gpuResource({ mig, shared }: GpuProps): string {
  if (mig !== undefined) return `nvidia.com/mig-${mig.replace('+me', '.me')}`;
  return shared === true ? 'nvidia.com/gpu.shared' : 'nvidia.com/gpu';
}

export function gpuPlacement(gpu: GpuProps): GpuPlacement {
  const { count = 1, product, labels = 'gpu-feature-discovery', nodeSelector = {} } = gpu;
  const known = product === undefined ? undefined : gpuProduct(product);
  const expression =
    known === undefined
      ? undefined
      : labels === 'karpenter-aws'
        ? { key: 'karpenter.k8s.aws/instance-gpu-name', operator: 'In' as const, values: [known.karpenterName ?? ''] }
        : { key: 'nvidia.com/gpu.product', operator: 'In' as const, values: productLabels(known.productLabels, gpu) };
  return {
    resource: gpuResource(gpu),
    count,
    nodeSelector,
    tolerations: [{ key: gpuTaintKey, operator: 'Exists', effect: 'NoSchedule' }],
    ...(expression === undefined
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [expression] }],
              },
            },
          },
        }),
  };
}

/** Feature discovery marks time-sliced GPUs in the product's name. */
function productLabels(names: readonly string[], { shared }: GpuProps): readonly string[] {
  return shared === true ? names.map((name) => `${name}-SHARED`) : names;
}

/** What no cluster could give. */
export function gpuProblems({ count = 1, product, mig, shared, labels }: GpuProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (![1, 2, 4, 8].includes(count)) {
    problems.push({
      code: 'gpu-count',
      message: `gpu.count ${count} leaves GPUs of a node unused, since nodes have 1, 2, 4 or 8`,
      fix: 'Set gpu.count to 1, 2, 4 or 8.',
    });
  }
  if (mig !== undefined && shared === true) {
    problems.push({
      code: 'gpu-mig-and-shared',
      message: 'gpu.mig and gpu.shared ask for two different resources',
      fix: 'Keep one of them.',
    });
  }
  if (shared === true && count > 1) {
    problems.push({
      code: 'gpu-shared-count',
      message: `gpu.shared with gpu.count ${count}: slices of a GPU have no share of their own, so more of them give nothing`,
      fix: 'Set gpu.count to 1, or leave gpu.shared out.',
    });
  }
  if (product === undefined) return problems;
  const { migProfiles, karpenterName } = gpuProduct(product);
  if (mig !== undefined && !migProfiles.includes(mig)) {
    problems.push({
      code: 'mig-profile',
      message: `gpu.mig: ${product} has no such MIG profile`,
      found: mig,
      expected: migProfiles.length === 0 ? 'none: it cannot be divided' : migProfiles.join(', '),
      fix: migProfiles.length === 0 ? 'Leave gpu.mig out, or use gpu.shared.' : 'Choose one of these profiles.',
    });
  }
  if (labels === 'karpenter-aws' && karpenterName === undefined) {
    problems.push({
      code: 'gpu-not-on-aws',
      message: `gpu.product: AWS has no instances with ${product}`,
      fix: "Choose another product, or leave gpu.labels at 'gpu-feature-discovery'.",
    });
  }
  return problems;
}
