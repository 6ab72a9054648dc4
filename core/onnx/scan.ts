import type { Problem } from '../problem/index.ts';
import { inspectModel, type ScanOptions } from './inspection.ts';

/**
 * Everything that speaks against loading a model file, before ONNX Runtime sees it: that it is no ONNX model, that it reads files other
 * than plain ones beside it, needs custom operators or operators that run code, declares tensors its bytes do not hold, or is too
 * large. Reads the file in one pass without its weights. Never throws for what a file contains.
 */
export async function scanModel(file: string, options: ScanOptions = {}): Promise<readonly Problem[]> {
  const { unreadable, unsafeFiles, unsafeContent } = await inspectModel(file, options);
  return [...unreadable, ...unsafeFiles, ...unsafeContent];
}
