import * as z from 'zod';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type KubernetesTraffic, kubernetesTraffic } from '../traffic/kubernetes-traffic.ts';

/** What a guard is told when it is started. */
export interface GuardOrder {
  /** The only rollout it may end. */
  readonly rolloutId: string;
  readonly traffic: KubernetesTraffic;
  /** Milliseconds to wait for the rollout's record to appear, and how long a lease lasts at least. */
  readonly leaseMs: number;
}

const jsonSchema = z.strictObject({
  rolloutId: z.string().min(1),
  traffic: kubernetesTraffic,
  leaseMs: z.int().min(1000),
});

/** The arguments of the command `sluice` for a guard: `canary guard --order {...}`. No shell reads them. */
export function guardArguments(order: GuardOrder): readonly string[] {
  return ['canary', 'guard', '--order', JSON.stringify(order)];
}

/** Reads the JSON of `--order`. Throws an `InputError` for anything that `guardArguments` did not write. */
export function parseGuardOrder(json: string): GuardOrder {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch {
    content = undefined;
  }
  const parsed = jsonSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError({
    code: 'bad-guard-order',
    message: `the guard's order cannot be read${issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.map(String).join('.')}`}`,
    found: excerpt(json, 120),
    fix: 'Start the guard as the rollout does: the image of the guard and the action must be of one version.',
  });
}
