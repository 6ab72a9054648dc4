import { resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { casesOfFile, type GoldenCases, type LocalModel } from '../../smoke/index.ts';
import type { SmokeGate } from './smoke-gate.ts';

/** Golden inputs that the policy has in a file; `undefined`: they are made up. */
export async function goldenCasesOf(options: {
  readonly gate: SmokeGate;
  readonly local: LocalModel;
  readonly host: Host;
}): Promise<GoldenCases | undefined> {
  const { gate, local } = options;
  const { golden } = gate.smoke;
  if (golden === undefined || golden === false) return undefined;
  if (golden.feeds !== undefined) {
    const place = gate.policy.placeOf(['smoke', 'golden', 'feeds']);
    return casesOfFile(resolve(gate.directory, golden.feeds), golden.feeds, local.model.inputs, place);
  }
  return undefined;
}
