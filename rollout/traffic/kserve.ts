import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesKind, KubernetesObject } from '../kubernetes/kubernetes-object.ts';
import type { Routing } from './annotated-object.ts';
import type { KserveTraffic } from './kubernetes-traffic.ts';
import { parsedSpec } from './parsed-spec.ts';

export const inferenceServiceKind: KubernetesKind = {
  group: 'serving.kserve.io',
  version: 'v1beta1',
  plural: 'inferenceservices',
  kind: 'InferenceService',
};

const can = { header: false, mirror: false, weights: 'any' } as const;

const predictor = z.looseObject({ canaryTrafficPercent: z.number().exactOptional() });
const knativeSpec = z.looseObject({ predictor });
const knativeStatus = z.looseObject({
  deploymentMode: z.string().exactOptional(),
  components: z
    .looseObject({
      predictor: z
        .looseObject({
          latestCreatedRevision: z.string().exactOptional(),
          latestReadyRevision: z.string().exactOptional(),
          latestRolledoutRevision: z.string().exactOptional(),
          traffic: z
            .array(z.looseObject({ revisionName: z.string().exactOptional(), percent: z.number().exactOptional() }))
            .exactOptional(),
        })
        .exactOptional(),
    })
    .exactOptional(),
});
const knativeBefore = z.strictObject({ baselineRevision: z.string().exactOptional() });
type KnativeBefore = z.infer<typeof knativeBefore>;

/**
 * `canaryTrafficPercent` of an InferenceService in Knative mode: the share of its latest revision; the revision that was last rolled out
 * whole has the rest. The canary is deployed by applying the new model together with `canaryTrafficPercent: 0`; without the field KServe
 * gives the newest revision everything, which is read as 100.
 *
 * - The status is read back, with the revisions' names: KServe was seen to route to a wrong previous revision for a while
 *   (kserve#1968, #2040, #2097, #2130). The baseline's revision is remembered at the first move.
 * - Promoted: the field is removed, as KServe documents it; the canary's revision is then the last one rolled out.
 * - Rolled back: the field stays at 0. The spec still holds the refused model, so removing the field would release it; apply the old model,
 *   or the next one, over it.
 */
export function knativeRouting(options: KserveTraffic): Routing<KnativeBefore> {
  const specOf = (object: KubernetesObject): z.infer<typeof knativeSpec> => {
    refuseMode(object, options, /^(standard|rawdeployment|modelmesh)$/i);
    return parsed(knativeSpec, object, options);
  };
  const withPercent = (object: KubernetesObject, percent: number | undefined): unknown => {
    const spec = specOf(object);
    const { canaryTrafficPercent: _old, ...rest } = spec.predictor;
    return { ...spec, predictor: percent === undefined ? rest : { ...rest, canaryTrafficPercent: percent } };
  };
  return {
    provider: 'kserve',
    can,
    object: { ...inferenceServiceKind, namespace: options.namespace, name: options.inferenceService },
    parseBefore: (json) => knativeBefore.safeParse(json).data,
    before(object) {
      const revision = revisionsOf(object).latestRolledoutRevision;
      return revision === undefined ? {} : { baselineRevision: revision };
    },
    traffic: (object) => ({
      canaryWeight: specOf(object).predictor.canaryTrafficPercent ?? 100,
      mirrorPercent: 0,
    }),
    moved: (object, { canaryWeight }, before) => ({ spec: withPercent(object, canaryWeight), before }),
    finished: (object, outcome) => withPercent(object, outcome === 'promoted' ? undefined : 0),
    state(object, desired, before) {
      const { latestCreatedRevision, latestReadyRevision, latestRolledoutRevision, traffic } = revisionsOf(object);
      const baseline = before?.baselineRevision ?? latestRolledoutRevision;
      const canary = latestCreatedRevision;
      if (traffic === undefined || canary === undefined) {
        return { settled: false, notReady: 'KServe has not reported any traffic yet' };
      }
      const share = traffic.reduce(
        (sum, { revisionName, percent }) => sum + (revisionName === canary ? (percent ?? 0) : 0),
        0,
      );
      const stranger = traffic.find(
        ({ revisionName, percent }) => (percent ?? 0) > 0 && revisionName !== canary && revisionName !== baseline,
      )?.revisionName;
      const observed = { canaryWeight: share, mirrorPercent: 0 };
      const notReady =
        canary === baseline && desired.canaryWeight < 100
          ? `there is no new revision beside ${excerpt(canary)}: apply the new model first, with canaryTrafficPercent: 0`
          : latestReadyRevision !== canary
            ? `revision ${excerpt(canary)} is not ready`
            : stranger === undefined
              ? undefined
              : `KServe routes to revision ${excerpt(stranger)}, which is neither the baseline ${excerpt(baseline ?? '')} nor the canary`;
      return {
        observed,
        settled: stranger === undefined && observed.canaryWeight === desired.canaryWeight,
        ...(notReady === undefined ? {} : { notReady }),
      };
    },
  };
}

function revisionsOf(
  object: KubernetesObject,
): NonNullable<NonNullable<z.infer<typeof knativeStatus>['components']>['predictor']> {
  return knativeStatus.safeParse(object['status']).data?.components?.predictor ?? {};
}

const entry = z.looseObject({
  predictor: z.looseObject({ name: z.string() }),
  trafficPercent: z.number(),
});
type Entry = z.infer<typeof entry>;
const standardSpec = z.looseObject({
  predictor: z.looseObject({ name: z.string().exactOptional() }),
  canary: z.array(entry).exactOptional(),
});
const standardStatus = z.looseObject({
  canaryStatuses: z
    .array(z.looseObject({ name: z.string(), ready: z.boolean(), trafficPercent: z.number() }))
    .exactOptional(),
});
const standardBefore = z.strictObject({ canary: z.string() });
type StandardBefore = z.infer<typeof standardBefore>;

/**
 * `trafficPercent` of one entry of `spec.canary` of an InferenceService in Standard mode (KServe 0.20 and later, with the Gateway API: its
 * plain Ingress has no weights). The entry is deployed by the user, with `trafficPercent: 0`.
 *
 * - The status is read back: KServe reports readiness and share of each entry.
 * - Promoted: `spec.predictor` becomes what KServe already runs for the entry (the entry's fields over the stable predictor's, as its
 *   controller merges them), under the entry's name, and the entry goes: KServe then keeps the canary's pods and restarts none. How many
 *   replicas there are, and how they scale, stays the stable predictor's.
 * - Rolled back: the entry stays with 0, deployed without traffic; remove it to remove its pods.
 */
export function standardRouting(options: KserveTraffic): Routing<StandardBefore> {
  const specOf = (object: KubernetesObject): z.infer<typeof standardSpec> => {
    refuseMode(object, options, /^(knative|serverless|modelmesh)$/i);
    return parsed(standardSpec, object, options);
  };
  const chosen = (spec: z.infer<typeof standardSpec>): Entry => {
    const found = chosenOrNone(spec, options);
    if (found !== undefined) return found;
    throw new PeerError({
      code: 'no-canary',
      message: `InferenceService ${options.namespace}/${options.inferenceService} has no ${options.canary === undefined ? 'single canary' : `canary ${excerpt(options.canary)}`}`,
      found: excerpt((spec.canary ?? []).map((each) => each.predictor.name).join(', ') || 'no spec.canary', 200),
      fix: 'Add the new model to spec.canary with `trafficPercent: 0`, and name it in the policy as `canary` if there are several.',
    });
  };
  const withPercent = (object: KubernetesObject, percent: number): unknown => {
    const spec = specOf(object);
    const { predictor: canary } = chosen(spec);
    return {
      ...spec,
      canary: (spec.canary ?? []).map((each) =>
        each.predictor.name === canary.name ? { ...each, trafficPercent: percent } : each,
      ),
    };
  };
  return {
    provider: 'kserve',
    can,
    object: { ...inferenceServiceKind, namespace: options.namespace, name: options.inferenceService },
    parseBefore: (json) => standardBefore.safeParse(json).data,
    before: (object) => ({ canary: chosen(specOf(object)).predictor.name }),
    traffic(object) {
      const spec = specOf(object);
      // After a promotion the entry is the predictor.
      if (options.canary !== undefined && spec.predictor.name === options.canary)
        return { canaryWeight: 100, mirrorPercent: 0 };
      const canary = chosen(spec);
      const other = (spec.canary ?? []).find((each) => each !== canary && each.trafficPercent > 0);
      if (other !== undefined) {
        throw new PeerError({
          code: 'third-target',
          message: 'somebody else than the baseline and the canary gets traffic',
          found: excerpt(other.predictor.name),
          fix: 'Set its trafficPercent to 0, or remove it from spec.canary, while the rollout runs.',
        });
      }
      return { canaryWeight: canary.trafficPercent, mirrorPercent: 0 };
    },
    moved: (object, { canaryWeight }, before) => ({ spec: withPercent(object, canaryWeight), before }),
    finished(object, outcome, before) {
      const spec = specOf(object);
      const name = before?.canary ?? options.canary ?? chosenOrNone(spec, options)?.predictor.name;
      const canary = (spec.canary ?? []).find((each) => each.predictor.name === name);
      // Done before.
      if (canary === undefined) return object['spec'];
      if (outcome === 'rolled-back') return withPercent(object, 0);
      const { canary: entries = [], ...rest } = spec;
      const others = entries.filter((each) => each !== canary);
      const promoted = mergedPredictor(spec.predictor, canary.predictor);
      return { ...rest, predictor: promoted, ...(others.length === 0 ? {} : { canary: others }) };
    },
    state(object, desired) {
      const spec = specOf(object);
      const name = chosenOrNone(spec, options)?.predictor.name;
      const status = standardStatus
        .safeParse(object['status'])
        .data?.canaryStatuses?.find((each) => each.name === name);
      if (name === undefined) return { settled: true };
      if (status === undefined)
        return { settled: false, notReady: `KServe has not reported canary ${excerpt(name)} yet` };
      return {
        observed: { canaryWeight: status.trafficPercent, mirrorPercent: 0 },
        settled: status.trafficPercent === desired.canaryWeight,
        ...(status.ready ? {} : { notReady: `canary ${excerpt(name)} is not ready` }),
      };
    },
  };
}

function chosenOrNone(spec: z.infer<typeof standardSpec>, { canary }: KserveTraffic): Entry | undefined {
  const entries = spec.canary ?? [];
  if (canary !== undefined) return entries.find((each) => each.predictor.name === canary);
  return entries.length === 1 ? entries[0] : undefined;
}

/** Fields of a canary that say how many there are of it; its validator refuses the others. */
const ofScale = ['minReplicas', 'maxReplicas', 'scaleTarget', 'scaleMetric', 'autoScaling'];

/** What KServe 0.20's buildCanaryPredictor runs for an entry: its values over the stable ones, lists whole, empty values not at all. */
function mergedPredictor(stable: Record<string, unknown>, canary: Record<string, unknown>): Record<string, unknown> {
  const own = Object.fromEntries(Object.entries(canary).filter(([name]) => !ofScale.includes(name)));
  return merged(stable, own);
}

function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(over)
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]): [string, unknown] => {
      const old = under[name];
      return [name, isRecord(old) && isRecord(value) ? merged(old, value) : value];
    });
  return { ...under, ...Object.fromEntries(entries) };
}

/** Go's zero values, as mergo knows them. */
function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In another mode KServe ignores the field without a word (kserve#4074, #5335). */
function refuseMode(object: KubernetesObject, options: KserveTraffic, others: RegExp): void {
  const status = knativeStatus.safeParse(object['status']).data?.deploymentMode;
  const mode = object.metadata.annotations?.['serving.kserve.io/deploymentMode'] ?? status;
  if (mode === undefined || !others.test(mode)) return;
  throw new PeerError({
    code: 'wrong-mode',
    message: `InferenceService ${options.namespace}/${options.inferenceService} is deployed in ${excerpt(mode)} mode`,
    expected: options.mode === 'knative' ? 'Knative' : 'Standard',
    fix: `Set the mode in the policy to ${options.mode === 'knative' ? 'standard (KServe 0.20 and later)' : 'knative'}: KServe ignores the other mode's field without a word.`,
  });
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  object: KubernetesObject,
  { namespace, inferenceService }: KserveTraffic,
): z.infer<Schema> {
  return parsedSpec(schema, object, (at, why) => ({
    code: 'no-predictor',
    message: `InferenceService ${namespace}/${inferenceService} cannot be read at ${at}`,
    found: excerpt(why),
    fix: 'Give it a predictor as KServe documents it.',
  }));
}
