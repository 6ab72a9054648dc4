import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesKind, KubernetesObject } from '../kubernetes/kubernetes-object.ts';
import type { Routing } from './annotated-object.ts';
import type { SeldonTraffic } from './kubernetes-traffic.ts';
import { parsedSpec } from './parsed-spec.ts';
import { canaryWeight, finishedList, listBefore, type WeightedList, withCanaryWeight } from './weighted-arms.ts';

export const seldonDeploymentKind: KubernetesKind = {
  group: 'machinelearning.seldon.io',
  version: 'v1',
  plural: 'seldondeployments',
  kind: 'SeldonDeployment',
};
export const experimentKind: KubernetesKind = {
  group: 'mlops.seldon.io',
  version: 'v1alpha1',
  plural: 'experiments',
  kind: 'Experiment',
};

const listBeforeSchema = z.strictObject({ canary: z.boolean(), weight: z.number().exactOptional() });
type Before = z.infer<typeof listBeforeSchema>;

const predictor = z.looseObject({
  name: z.string(),
  traffic: z.number().exactOptional(),
  shadow: z.boolean().exactOptional(),
});
type Predictor = z.infer<typeof predictor>;
const deploymentSpec = z.looseObject({ predictors: z.array(predictor) });
const deploymentStatus = z.looseObject({
  state: z.string().exactOptional(),
  description: z.string().exactOptional(),
});

/**
 * `traffic` of the predictors of a SeldonDeployment (Seldon Core 1). Both predictors are the user's: a rollout adds and removes none, so a
 * finished one leaves them with 100 and 0; the one with 0 keeps its pods until it is removed. Copies (`shadow: true`) have no share there,
 * only all or nothing, and turning one into a canary restarts it; so there is no mirroring here.
 */
export function seldonDeploymentRouting(options: SeldonTraffic): Routing<Before> {
  const specOf = (object: KubernetesObject): z.infer<typeof deploymentSpec> => parsed(deploymentSpec, object, options);
  const listOf = (entries: readonly Predictor[]): WeightedList<Predictor> => {
    const live = entries.filter(({ shadow }) => shadow !== true);
    return {
      entries,
      name: ({ name }) => name,
      isBaseline: ({ name }) => name === options.baseline,
      isCanary: ({ name }) => name === options.canary,
      weight: ({ traffic, shadow }) => (shadow === true ? 0 : (traffic ?? (live.length === 1 ? 100 : 0))),
      withWeight: ({ traffic: _old, ...entry }, traffic) => (traffic === undefined ? entry : { ...entry, traffic }),
    };
  };
  return {
    provider: 'seldon',
    can: { header: false, mirror: false, weights: 'any' },
    object: { ...seldonDeploymentKind, namespace: options.namespace, name: options.name },
    parseBefore: (json) => listBeforeSchema.safeParse(json).data,
    // Never to be removed, whatever was listed.
    before: (object) =>
      ({ ...listBefore(listOf(specOf(object).predictors), ({ traffic }) => traffic), canary: true }) as Before,
    traffic: (object) => ({ canaryWeight: canaryWeight(listOf(specOf(object).predictors)), mirrorPercent: 0 }),
    moved(object, { canaryWeight: percent }, before) {
      const spec = specOf(object);
      return { spec: { ...spec, predictors: [...withCanaryWeight(listOf(spec.predictors), percent, before)] }, before };
    },
    finished(object, outcome) {
      const spec = specOf(object);
      const predictors = [...finishedList(listOf(spec.predictors), outcome, { canary: true })];
      return { ...spec, predictors };
    },
    state(object) {
      const { state, description } = deploymentStatus.safeParse(object['status']).data ?? {};
      const listed = specOf(object).predictors.some(({ name }) => name === options.canary);
      const notReady = !listed
        ? `there is no predictor ${excerpt(options.canary)}`
        : state === undefined || state === 'Available'
          ? undefined
          : `the deployment is ${excerpt(state)}${description === undefined ? '' : `: ${excerpt(description, 200)}`}`;
      // Seldon keeps no generation in its status; `Creating` is what it says while it follows a change.
      return { settled: state === undefined || state === 'Available', ...(notReady === undefined ? {} : { notReady }) };
    },
  };
}

const candidate = z.looseObject({ name: z.string(), weight: z.number() });
type Candidate = z.infer<typeof candidate>;
const experimentSpec = z.looseObject({
  candidates: z.array(candidate),
  default: z.string().exactOptional(),
  mirror: z.looseObject({ name: z.string(), percent: z.number() }).exactOptional(),
});
type ExperimentSpec = z.infer<typeof experimentSpec>;
const experimentStatus = z.looseObject({
  conditions: z
    .array(
      z.looseObject({
        type: z.string(),
        status: z.string(),
        message: z.string().exactOptional(),
        reason: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
});

/**
 * Weights of the candidates of an Experiment (Seldon Core 2), and its mirror. `default` stays what it is: it names the model whose address
 * the experiment answers for, so clients never notice. Promoted: the canary has 100 and the baseline 0, or its place if the rollout added
 * the canary and the baseline is not the `default`. Weights are relative there; a rollout writes percent.
 */
export function experimentRouting(options: SeldonTraffic): Routing<Before> {
  const specOf = (object: KubernetesObject): ExperimentSpec => parsed(experimentSpec, object, options);
  const listOf = (entries: readonly Candidate[]): WeightedList<Candidate> => ({
    entries,
    name: ({ name }) => name,
    isBaseline: ({ name }) => name === options.baseline,
    isCanary: ({ name }) => name === options.canary,
    weight: ({ weight }) => weight,
    // A candidate must have one.
    withWeight: (entry, weight) => ({ ...entry, weight: weight ?? 100 }),
    newCanary: (baseline) => ({ ...baseline, name: options.canary }),
  });
  const isOurs = ({ mirror }: ExperimentSpec): boolean => mirror?.name === options.canary;
  const withMirror = (spec: ExperimentSpec, percent: number): ExperimentSpec => {
    if (percent > 0 && spec.mirror !== undefined && !isOurs(spec)) {
      throw new PeerError({
        code: 'mirror-taken',
        message: 'the experiment copies requests to somebody else already',
        found: excerpt(spec.mirror.name),
        fix: 'Leave the shadow step out of the strategy, or remove that mirror while the rollout runs.',
      });
    }
    if (percent > 0) return { ...spec, mirror: { ...spec.mirror, name: options.canary, percent } };
    if (!isOurs(spec)) return spec;
    const { mirror: _mirror, ...rest } = spec;
    return rest;
  };
  return {
    provider: 'seldon',
    can: { header: false, mirror: true, weights: 'any' },
    object: { ...experimentKind, namespace: options.namespace, name: options.name },
    parseBefore: (json) => listBeforeSchema.safeParse(json).data,
    before: (object) => listBefore(listOf(specOf(object).candidates), ({ weight }) => weight) as Before,
    traffic(object) {
      const spec = specOf(object);
      return {
        canaryWeight: canaryWeight(listOf(spec.candidates)),
        mirrorPercent: isOurs(spec) ? (spec.mirror?.percent ?? 0) : 0,
      };
    },
    moved(object, { canaryWeight: percent, mirrorPercent }, before) {
      const spec = withMirror(specOf(object), mirrorPercent);
      return { spec: { ...spec, candidates: [...withCanaryWeight(listOf(spec.candidates), percent, before)] }, before };
    },
    finished(object, outcome, before) {
      const spec = withMirror(specOf(object), 0);
      const stays = outcome === 'promoted' && spec.default === options.baseline;
      const known = stays && before !== undefined ? { ...before, canary: true } : before;
      return { ...spec, candidates: [...finishedList(listOf(spec.candidates), outcome, known)] };
    },
    state(object) {
      const conditions = experimentStatus.safeParse(object['status']).data?.conditions ?? [];
      const ready = conditions.find(({ type }) => type === 'Ready');
      const why = conditions.find(({ status, message }) => status === 'False' && message !== undefined)?.message;
      const notReady =
        ready === undefined || ready.status === 'True'
          ? undefined
          : `the experiment is not ready${why === undefined ? '' : `: ${excerpt(why, 200)}`}`;
      return { settled: notReady === undefined, ...(notReady === undefined ? {} : { notReady }) };
    },
  };
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  object: KubernetesObject,
  { kind, namespace, name }: SeldonTraffic,
): z.infer<Schema> {
  return parsedSpec(schema, object, (at, why) => ({
    code: 'unfit-object',
    message: `${kind} ${namespace}/${name} cannot be read at ${at}`,
    found: excerpt(why),
    fix: `Give it ${kind === 'Experiment' ? 'candidates' : 'predictors'} as Seldon documents it.`,
  }));
}
