import type * as z from 'zod';
import { PeerError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesObject } from '../kubernetes/kubernetes-object.ts';

/**
 * The spec of an object as far as a provider reads it. Throws a PeerError with the problem, whose `unfit` gets the place that does not fit
 * (`http.0.route`, empty for the whole spec) and why.
 */
export function parsedSpec<Schema extends z.ZodType>(
  schema: Schema,
  object: KubernetesObject,
  unfit: (at: string, why: string) => Problem,
): z.infer<Schema> {
  const result = schema.safeParse(object['spec']);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PeerError(unfit(issue?.path.map(String).join('.') ?? '', issue?.message ?? ''));
}

/** Without a place that is the whole. */
export function placedWhy(at: string, why: string): string {
  return excerpt(`${at} ${why}`.trim());
}
