import * as z from 'zod';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesKind, KubernetesObject } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient } from '../kubernetes-client.ts';
import type { Routing } from './annotated-object.ts';
import type { GatewayTraffic } from './kubernetes-traffic.ts';
import { type NamedEntry, namedEntry } from './named-entry.ts';
import { parsedSpec, placedWhy } from './parsed-spec.ts';
import { readyEndpoints } from './ready-canary.ts';
import { canaryWeight, finishedList, listBefore, type WeightedList, withCanaryWeight } from './weighted-arms.ts';

export const httpRouteKind: KubernetesKind = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  plural: 'httproutes',
  kind: 'HTTPRoute',
};

const backend = z.looseObject({ name: z.string(), kind: z.string().exactOptional() });
const weightedBackend = backend.extend({ weight: z.number().exactOptional() });
type Backend = z.infer<typeof weightedBackend>;
const filter = z.looseObject({
  type: z.string(),
  requestMirror: z
    .looseObject({
      backendRef: backend,
      percent: z.number().exactOptional(),
      fraction: z.looseObject({ numerator: z.number(), denominator: z.number().exactOptional() }).exactOptional(),
    })
    .exactOptional(),
});
type Filter = z.infer<typeof filter>;
const headerMatch = z.looseObject({ name: z.string(), value: z.string(), type: z.string().exactOptional() });
const rule = z.looseObject({
  name: z.string().exactOptional(),
  matches: z.array(z.looseObject({ headers: z.array(headerMatch).exactOptional() })).exactOptional(),
  filters: z.array(filter).exactOptional(),
  backendRefs: z.array(weightedBackend).exactOptional(),
});
type Rule = z.infer<typeof rule>;
const specSchema = z.looseObject({ rules: z.array(rule) });
type Spec = z.infer<typeof specSchema>;

const headerSchema = z.strictObject({ name: z.string(), value: z.string(), weight: z.number() });
const beforeSchema = z.strictObject({
  canary: z.boolean(),
  weight: z.number().exactOptional(),
  /** The filters list was there, if only with filters of the user's. */
  filters: z.boolean().exactOptional(),
  header: headerSchema.exactOptional(),
});
type Before = z.infer<typeof beforeSchema>;
type Header = Pick<z.infer<typeof headerSchema>, 'name' | 'value'>;

const statusSchema = z.looseObject({
  parents: z
    .array(
      z.looseObject({
        conditions: z
          .array(
            z.looseObject({
              type: z.string(),
              status: z.string(),
              message: z.string().exactOptional(),
              observedGeneration: z.int().exactOptional(),
            }),
          )
          .exactOptional(),
      }),
    )
    .exactOptional(),
});

/**
 * Weights of the backends of one rule of an HTTPRoute. Only that rule's backends, a RequestMirror filter to the canary and, while a header is
 * asked for, one rule beside it are changed; everything else in the object stays as it is.
 *
 * - The header's rule is a copy of the named one whose matches also ask for the header: more header matches win over fewer
 *   (HTTPRouteRule, "precedence"), so its place in the list does not matter.
 * - A canary that is not among the backends is added with the baseline's port and removed by a rollback.
 * - Promoted: a canary that was listed beside the baseline keeps 100 and the baseline 0; one that the rollout added takes its place.
 *
 * Without a client nobody is asked whether the canary is ready. `settled`: every gateway that reports has seen this generation. Gateways do not report the weights they follow.
 */
export function gatewayRouting(options: GatewayTraffic, client: KubernetesClient | undefined): Routing<Before> {
  const isCanary = (entry: z.infer<typeof backend>): boolean => isService(entry, options.canary);
  const isBaseline = (entry: z.infer<typeof backend>): boolean => isService(entry, options.baseline);
  const listOf = (entries: readonly Backend[]): WeightedList<Backend> => ({
    entries,
    name: ({ name }) => name,
    isBaseline,
    isCanary,
    // The definition's default.
    weight: ({ weight }) => weight ?? 1,
    withWeight: ({ weight: _old, ...entry }, weight) => (weight === undefined ? entry : { ...entry, weight }),
    // Filters of the baseline's backend are not the canary's.
    newCanary: ({ filters: _filters, ...baseline }) => ({ ...baseline, name: options.canary }),
  });
  const specOf = (object: KubernetesObject): Spec =>
    parsedSpec(specSchema, object, (at, why) => ({
      code: 'no-rules',
      message: `HTTPRoute ${options.namespace}/${options.httpRoute} has no rules with backends`,
      found: placedWhy(at, why),
      fix: 'Add a rule whose backends are Services; redirects cannot be opened by degrees.',
    }));
  const mirrorOf = ({ filters }: Rule): Filter | undefined =>
    filters?.find(({ requestMirror }) => requestMirror !== undefined && isCanary(requestMirror.backendRef));

  const withMirror = (named: Rule, mirrorPercent: number, before: Before | undefined): Rule => {
    const others = (named.filters ?? []).filter((each) => each !== mirrorOf(named));
    const { filters: old, ...rest } = named;
    if (mirrorPercent === 0) {
      const keep = others.length > 0 || (old !== undefined && (before?.filters ?? mirrorOf(named) === undefined));
      return keep ? { ...named, filters: others } : rest;
    }
    const {
      weight: _weight,
      filters: _filters,
      ...baseline
    } = (named.backendRefs ?? []).find(isBaseline) ?? {
      name: options.canary,
    };
    const requestMirror = {
      backendRef: { ...baseline, name: options.canary },
      // The default is everything, also where the definition is older than `percent`.
      ...(mirrorPercent === 100 ? {} : { percent: mirrorPercent }),
    };
    return { ...named, filters: [...others, { type: 'RequestMirror', requestMirror }] };
  };

  const headerRule = (named: Rule, header: Header): Rule => {
    const entry = (named.backendRefs ?? []).find(isCanary) ?? (named.backendRefs ?? []).find(isBaseline);
    const { weight: _weight, filters: _filters, ...target } = entry ?? { name: options.canary };
    const { name: _name, ...unmirrored } = withMirror(named, 0, undefined);
    const asked = { type: 'Exact', name: header.name, value: header.value };
    return {
      ...unmirrored,
      matches: (named.matches ?? [{}]).map((each) => ({ ...each, headers: [...(each.headers ?? []), asked] })),
      backendRefs: [{ ...target, name: options.canary }],
    };
  };
  const isHeaderRule = (each: Rule, header: Header | undefined): boolean =>
    header !== undefined &&
    each.backendRefs?.length === 1 &&
    each.backendRefs.every(isCanary) &&
    (each.matches ?? []).length > 0 &&
    (each.matches ?? []).every(({ headers }) =>
      (headers ?? []).some(
        ({ name, value }) => name.toLowerCase() === header.name.toLowerCase() && value === header.value,
      ),
    );

  return {
    provider: 'gateway-api',
    can: { header: true, mirror: true, weights: 'any' },
    object: { ...httpRouteKind, namespace: options.namespace, name: options.httpRoute },
    parseBefore: (json) => beforeSchema.safeParse(json).data,
    before(object) {
      const { entry: named } = namedRule(specOf(object).rules, options);
      const list = listBefore(listOf(named.backendRefs ?? []), ({ weight }) => weight);
      return { ...list, ...(named.filters === undefined ? {} : { filters: true }) } as Before;
    },
    traffic(object, before) {
      const all = specOf(object).rules;
      const rules = all.filter((each) => !isHeaderRule(each, before?.header));
      const { entry: named } = namedRule(rules, options);
      const weight = canaryWeight(listOf(named.backendRefs ?? []));
      const header = rules.length < all.length ? before?.header : undefined;
      return {
        canaryWeight: header === undefined ? weight : header.weight,
        mirrorPercent: mirrorPercent(mirrorOf(named)),
        ...(header === undefined ? {} : { header: { name: header.name, value: header.value } }),
      };
    },
    moved(object, traffic, { header: old, ...before }) {
      const spec = specOf(object);
      const rules = spec.rules.filter((each) => !isHeaderRule(each, old));
      const { index, entry: named } = namedRule(rules, options);
      const weight = traffic.header === undefined ? traffic.canaryWeight : 0;
      const backendRefs = [...withCanaryWeight(listOf(named.backendRefs ?? []), weight, before)];
      const changed = withMirror({ ...named, backendRefs }, traffic.mirrorPercent, before);
      const now = traffic.header === undefined ? [changed] : [headerRule(changed, traffic.header), changed];
      return {
        spec: { ...spec, rules: rules.toSpliced(index, 1, ...now) },
        before:
          traffic.header === undefined
            ? before
            : { ...before, header: { ...traffic.header, weight: traffic.canaryWeight } },
      };
    },
    finished(object, outcome, before) {
      const spec = specOf(object);
      const rules = spec.rules.filter((each) => !isHeaderRule(each, before?.header));
      const { index, entry: named } = namedRule(rules, options);
      const backendRefs = [...finishedList(listOf(named.backendRefs ?? []), outcome, before)];
      const changed = withMirror({ ...named, backendRefs }, 0, before);
      return { ...spec, rules: rules.toSpliced(index, 1, changed) };
    },
    async state(object) {
      const { settled, refused } = acceptance(object);
      const notReady =
        refused ?? (client === undefined ? undefined : await readyEndpoints(client, options.namespace, options.canary));
      return { settled, ...(notReady === undefined ? {} : { notReady }) };
    },
  };
}

function isService({ name, kind }: z.infer<typeof backend>, service: string): boolean {
  return name === service && (kind === undefined || kind === 'Service');
}

function mirrorPercent(mirror: Filter | undefined): number {
  const { percent, fraction } = mirror?.requestMirror ?? {};
  if (mirror === undefined) return 0;
  if (fraction !== undefined) return Math.round((100 * fraction.numerator) / (fraction.denominator ?? 100));
  return percent ?? 100;
}

/** What the gateways of the route say of it. */
function acceptance(object: KubernetesObject): { readonly settled: boolean; readonly refused?: string } {
  const parents = statusSchema.safeParse(object['status']).data?.parents ?? [];
  const conditions = parents.flatMap((parent) => parent.conditions ?? []);
  const { generation } = object.metadata;
  const isCurrent = ({ observedGeneration }: { readonly observedGeneration?: number }): boolean =>
    generation === undefined || observedGeneration === undefined || observedGeneration >= generation;
  const bad = conditions.find(
    (each) => isCurrent(each) && each.status === 'False' && (each.type === 'Accepted' || each.type === 'ResolvedRefs'),
  );
  return {
    settled: conditions.every(isCurrent),
    ...(bad === undefined
      ? {}
      : { refused: `the gateway does not take the route: ${excerpt(bad.message ?? `${bad.type} is False`, 200)}` }),
  };
}

function namedRule(rules: readonly Rule[], options: GatewayTraffic): NamedEntry<Rule> {
  const isIt = (each: Rule): boolean =>
    options.rule === undefined
      ? (each.backendRefs ?? []).some((to) => isService(to, options.baseline) || isService(to, options.canary))
      : each.name === options.rule;
  const route = `HTTPRoute ${options.namespace}/${options.httpRoute}`;
  return namedEntry(rules, isIt, (several, names) => ({
    code: several ? 'several-rules' : 'no-such-rule',
    message: several
      ? `several rules of ${route} lead to ${options.baseline} or ${options.canary}`
      : `no rule of ${route} ${options.rule === undefined ? `leads to ${options.baseline}` : `is called ${excerpt(options.rule)}`}`,
    found: excerpt(names || 'no rules', 200),
    fix: several
      ? 'Give the rule a name, and name it in the policy as `rule`.'
      : 'Correct the names of the rule, the baseline and the canary in the policy.',
  }));
}
