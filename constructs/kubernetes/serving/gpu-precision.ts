import type { GpuProps } from '../pod/gpu.ts';
import { gpuProduct } from '../pod/gpu-products.ts';
import type { ConstructProblem } from '../problem.ts';

/** Since which compute capability a GPU computes with these numbers, and what to take on an older one. https://docs.vllm.ai/en/latest/features/quantization/ */
const precisions: Readonly<Record<string, { readonly least: number; readonly instead: string }>> = {
  bfloat16: { least: 8, instead: "'float16'" },
  fp8: { least: 8, instead: "'awq' or 'gptq'" },
};

/** What the GPU cannot compute, of props by their names. */
export function precisionProblems(
  gpu: GpuProps | undefined,
  asked: Readonly<Record<string, string | undefined>>,
): readonly ConstructProblem[] {
  const product = gpu?.product;
  if (product === undefined) return [];
  const { computeCapability } = gpuProduct(product);
  return Object.entries(asked).flatMap(([prop, value = '']) => {
    const precision = precisions[value];
    if (precision === undefined || computeCapability >= precision.least) return [];
    return [
      {
        code: 'precision-not-on-gpu',
        message: `${prop} ${value} needs compute capability ${precision.least}.0 and gpu.product ${product} has ${computeCapability.toFixed(1)}`,
        fix: `Choose another GPU, or ${prop} ${precision.instead}.`,
      },
    ];
  });
}
