import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Instructions that ONNX Runtime and other mathematics choose their kernels by. */
const telling =
  /^(sse4_2|avx|avx2|fma|f16c|avx512\w*|avx_\w+|amx_\w+|asimd|asimddp|asimdhp|fphp|i8mm|bf16|sve\w*|sme\w*)$/;

export interface Processor {
  readonly model: string;
  /** Sorted; empty where the system does not tell. Two machines of one model may differ: a hypervisor hides some. */
  readonly flags: readonly string[];
}

/** The processor that times were measured on. `listing` is Linux's `/proc/cpuinfo`. */
export function thisProcessor(listing = '/proc/cpuinfo'): Processor {
  const text = textOf(listing);
  const [, flags = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(text) ?? [];
  return {
    model: cpus()[0]?.model.trim() ?? 'unknown',
    flags: [...new Set(flags.split(/\s+/).filter((flag) => telling.test(flag)))].sort(),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
