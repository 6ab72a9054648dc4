import type { Findings } from './problem.ts';

/** Bytes as Kubernetes writes them: `512Mi`, `16Gi`. */
export type Memory = `${number}${'' | 'Ki' | 'Mi' | 'Gi' | 'Ti' | 'k' | 'M' | 'G' | 'T'}`;
/** Cores: `2`, `0.5`, `500m`. */
export type Cpu = number | `${number}m`;

const factors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a quantity; undefined when Kubernetes would not take it, or it is not more than nothing. */
export function bytesOf(memory: Memory): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(|[KMGT]i|[kMGT])$/.exec(memory) ?? [];
  const factor = factors[unit];
  return number === '' || factor === undefined || Number(number) === 0 ? undefined : Math.ceil(Number(number) * factor);
}

/** Adds a problem where `memory` is none. `prop` is what users call it. */
export function checkMemory(memory: Memory, prop: string, findings: Findings): void {
  findings.demand(bytesOf(memory) !== undefined, () => ({
    code: 'bad-quantity',
    message: `${prop} is no amount of memory`,
    found: memory,
    expected: 'such as 512Mi or 16Gi',
    fix: 'Correct it.',
  }));
}

/** The shortest whole quantity: 17179869184 is `16Gi`. */
export function memoryOf(bytes: number): Memory {
  const whole = Math.ceil(bytes);
  const unit = (['Ti', 'Gi', 'Mi', 'Ki'] as const).find((each) => whole % (factors[each] ?? 1) === 0 && whole > 0);
  return unit === undefined ? `${whole}` : `${whole / (factors[unit] ?? 1)}${unit}`;
}

/** The next whole Gi (below one: Mi) that holds so many bytes. */
export function roundedMemory(bytes: number): Memory {
  const unit = bytes >= 2 ** 30 ? 2 ** 30 : 2 ** 20;
  return memoryOf(Math.ceil(bytes / unit) * unit);
}

/** Cores of a quantity; undefined when it is no number above 0. */
export function coresOf(cpu: Cpu): number | undefined {
  const cores = typeof cpu === 'number' ? cpu : /^\d+m$/.test(cpu) ? Number(cpu.slice(0, -1)) / 1000 : Number.NaN;
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

/** Adds a problem where `cpu` is no number of cores. `prop` is what users call it. */
export function checkCores(cpu: Cpu, prop: string, findings: Findings): void {
  findings.demand(coresOf(cpu) !== undefined, () => ({
    code: 'bad-quantity',
    message: `${prop} is no number of cores`,
    found: String(cpu),
    expected: 'a number above 0, or thousandths such as 500m',
    fix: 'Correct it.',
  }));
}

/** As Kubernetes stores it: 0.5 is `500m`, 2 is `2`. */
export function cpuText(cpu: Cpu): string {
  const millis = Math.round((coresOf(cpu) ?? 0) * 1000);
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}
