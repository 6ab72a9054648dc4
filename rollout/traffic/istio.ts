import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesKind, KubernetesObject } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient } from '../kubernetes-client.ts';
import type { Traffic } from '../traffic-provider.ts';
import type { Routing } from './annotated-object.ts';
import type { IstioTraffic } from './kubernetes-traffic.ts';
import { type NamedEntry, namedEntry } from './named-entry.ts';
import { parsedSpec, placedWhy } from './parsed-spec.ts';
import { readyEndpoints, readyPods } from './ready-canary.ts';
import { canaryWeight, finishedList, listBefore, type WeightedList, withCanaryWeight } from './weighted-arms.ts';

/** `v1` since Istio 1.22. */
export const virtualServiceKind: KubernetesKind = {
  group: 'networking.istio.io',
  version: 'v1',
  plural: 'virtualservices',
  kind: 'VirtualService',
};
export const destinationRuleKind: KubernetesKind = {
  ...virtualServiceKind,
  plural: 'destinationrules',
  kind: 'DestinationRule',
};

/** The name of the route that sends requests with the header to the canary. */
const headerRouteName = 'sluice-canary-header';

const destination = z.looseObject({ host: z.string(), subset: z.string().exactOptional() });
type Destination = z.infer<typeof destination>;
const weighted = z.looseObject({ destination, weight: z.number().exactOptional() });
type Weighted = z.infer<typeof weighted>;
const route = z.looseObject({
  name: z.string().exactOptional(),
  match: z.array(z.looseObject({ headers: z.record(z.string(), z.unknown()).exactOptional() })).exactOptional(),
  route: z.array(weighted).exactOptional(),
  mirror: destination.exactOptional(),
  mirrorPercentage: z.looseObject({ value: z.number().exactOptional() }).exactOptional(),
  mirrors: z.array(z.unknown()).exactOptional(),
});
type Route = z.infer<typeof route>;
const specSchema = z.looseObject({ http: z.array(route) });

const beforeSchema = z.strictObject({
  canary: z.boolean(),
  weight: z.number().exactOptional(),
  header: z.strictObject({ name: z.string(), value: z.string(), weight: z.number() }).exactOptional(),
});
type Before = z.infer<typeof beforeSchema>;

/**
 * Weights of one http route of a VirtualService. Only that route's destinations, its mirror and, while a header is asked for, one route
 * before it are changed; everything else in the object stays as it is.
 *
 * - The header's route is a copy of the named one (matches, rewrites, timeouts) that also asks for the header and sends all to the canary.
 * - A canary that is not among the destinations is added as a subset (or host) beside the baseline and removed by a rollback.
 * - Promoted: a canary that was listed beside the baseline keeps 100 and the baseline 0; one that the rollout added takes its place.
 *
 * Without a client nobody is asked whether the canary is ready. Istio tells nothing of what its proxies follow, so `observed` is absent; proxies follow within seconds.
 */
export function istioRouting(options: IstioTraffic, client: KubernetesClient | undefined): Routing<Before> {
  const is = (arm: string) => (entry: Weighted) => isArm(entry.destination, arm);
  const listOf = (entries: readonly Weighted[]): WeightedList<Weighted> => ({
    entries,
    name: ({ destination: { host, subset } }) => (subset === undefined ? host : `${host}/${subset}`),
    isBaseline: is(options.baseline),
    isCanary: is(options.canary),
    weight: ({ weight }) => weight ?? (entries.length === 1 ? 100 : 0),
    withWeight: ({ weight: _old, ...entry }, weight) => (weight === undefined ? entry : { ...entry, weight }),
    newCanary: (baseline) => ({ destination: canaryDestination(baseline.destination, options) }),
  });
  const specOf = (object: KubernetesObject): z.infer<typeof specSchema> =>
    parsedSpec(specSchema, object, (at, why) => ({
      code: 'no-http-routes',
      message: `VirtualService ${options.namespace}/${options.virtualService} has no http routes with destinations`,
      found: placedWhy(at, why),
      fix: 'Add an http route to the model; tcp and tls routes, delegates and redirects cannot be opened by degrees here.',
    }));
  const routeAt = (spec: z.infer<typeof specSchema>): NamedEntry<Route> => namedRoute(spec.http, options);

  return {
    provider: 'istio',
    can: { header: true, mirror: true, weights: 'any' },
    object: { ...virtualServiceKind, namespace: options.namespace, name: options.virtualService },
    parseBefore: (json) => beforeSchema.safeParse(json).data,
    before: (object) => listBefore(listOf(routeAt(specOf(object)).entry.route ?? []), ({ weight }) => weight),
    traffic(object, before) {
      const spec = specOf(object);
      const { entry: named } = routeAt(spec);
      const weight = canaryWeight(listOf(named.route ?? []));
      const hasHeader = spec.http.some(({ name }) => name === headerRouteName);
      const header = hasHeader ? before?.header : undefined;
      return {
        canaryWeight: header === undefined ? weight : header.weight,
        mirrorPercent: mirrorsCanary(named, options) ? Math.round(named.mirrorPercentage?.value ?? 100) : 0,
        ...(header === undefined ? {} : { header: { name: header.name, value: header.value } }),
      };
    },
    moved(object, traffic, { header: _old, ...before }) {
      const spec = specOf(object);
      const http = spec.http.filter(({ name }) => name !== headerRouteName);
      const { index, entry: named } = namedRoute(http, options);
      const weight = traffic.header === undefined ? traffic.canaryWeight : 0;
      const list = listOf(named.route ?? []);
      const changed = withMirror({ ...named, route: [...withCanaryWeight(list, weight, before)] }, traffic, options);
      const routes =
        traffic.header === undefined ? [changed] : [headerRoute(changed, traffic.header, options), changed];
      return {
        spec: { ...spec, http: http.toSpliced(index, 1, ...routes) },
        before:
          traffic.header === undefined
            ? before
            : { ...before, header: { ...traffic.header, weight: traffic.canaryWeight } },
      };
    },
    finished(object, outcome, before) {
      const spec = specOf(object);
      const http = spec.http.filter(({ name }) => name !== headerRouteName);
      const { index, entry: named } = namedRoute(http, options);
      const list = finishedList(listOf(named.route ?? []), outcome, before);
      const changed = withMirror({ ...named, route: [...list] }, { mirrorPercent: 0 }, options);
      return { ...spec, http: http.toSpliced(index, 1, changed) };
    },
    async state(object) {
      if (client === undefined) return { settled: true };
      const { entry: named } = routeAt(specOf(object));
      const baseline = (named.route ?? []).find(is(options.baseline))?.destination;
      const canary =
        (named.route ?? []).find(is(options.canary))?.destination ??
        (baseline === undefined ? undefined : canaryDestination(baseline, options));
      const notReady = canary === undefined ? undefined : await whyNotReady(canary, options, client);
      return { settled: true, ...(notReady === undefined ? {} : { notReady }) };
    },
  };
}

/** A destination is meant by its subset, else by its host, short or in full. */
function isArm({ host, subset }: Destination, arm: string): boolean {
  return subset === undefined ? host === arm || host.split('.')[0] === arm : subset === arm;
}

function canaryDestination(baseline: Destination, { canary }: IstioTraffic): Destination {
  if (baseline.subset !== undefined) return { ...baseline, subset: canary };
  // A service of its own, beside the baseline's: named as that one is, short or in full.
  const [, ...domain] = baseline.host.split('.');
  return { ...baseline, host: canary.includes('.') ? canary : [canary, ...domain].join('.') };
}

function mirrorsCanary({ mirror }: Route, { canary }: IstioTraffic): boolean {
  return mirror !== undefined && isArm(mirror, canary);
}

function withMirror(named: Route, { mirrorPercent }: Pick<Traffic, 'mirrorPercent'>, options: IstioTraffic): Route {
  const ours = mirrorsCanary(named, options);
  if (mirrorPercent === 0) {
    if (!ours) return named;
    const { mirror: _mirror, mirrorPercentage: _share, ...rest } = named;
    return rest;
  }
  const other = named.mirror !== undefined && !ours ? named.mirror.host : undefined;
  if (other !== undefined || named.mirrors !== undefined) {
    throw new PeerError({
      code: 'mirror-taken',
      message: 'the route copies requests to somebody else already',
      ...(other === undefined ? {} : { found: excerpt(other) }),
      fix: 'Leave the shadow step out of the strategy, or remove that mirror while the rollout runs.',
    });
  }
  const [first] = named.route ?? [];
  const baseline = (named.route ?? []).find(({ destination: each }) => isArm(each, options.baseline)) ?? first;
  if (baseline === undefined) return named;
  const mirror = isArm(baseline.destination, options.canary)
    ? baseline.destination
    : canaryDestination(baseline.destination, options);
  return { ...named, mirror, mirrorPercentage: { value: mirrorPercent } };
}

/** The named route for requests with the header, of which none may be left to the baseline or copied. */
function headerRoute(
  named: Route,
  header: { readonly name: string; readonly value: string },
  options: IstioTraffic,
): Route {
  const { mirror, mirrorPercentage, ...rest } = named;
  const [first] = named.route ?? [];
  const baseline = (named.route ?? []).find(({ destination: each }) => isArm(each, options.baseline)) ?? first;
  if (baseline === undefined) return rest;
  const { weight: _weight, ...target } =
    (named.route ?? []).find(({ destination: each }) => isArm(each, options.canary)) ??
    ({ ...baseline, destination: canaryDestination(baseline.destination, options) } satisfies Weighted);
  // Envoy knows header names in small letters only.
  const asked = { [header.name.toLowerCase()]: { exact: header.value } };
  return {
    ...rest,
    ...(mirror === undefined || isArm(mirror, options.canary)
      ? {}
      : { mirror, ...(mirrorPercentage && { mirrorPercentage }) }),
    name: headerRouteName,
    match: (named.match ?? [{}]).map((each) => ({ ...each, headers: { ...each.headers, ...asked } })),
    route: [target],
  };
}

function namedRoute(http: readonly Route[], options: IstioTraffic): NamedEntry<Route> {
  const isIt = (each: Route): boolean =>
    each.name !== headerRouteName &&
    (options.route === undefined
      ? (each.route ?? []).some(({ destination: to }) => isArm(to, options.baseline) || isArm(to, options.canary))
      : each.name === options.route);
  return namedEntry(http, isIt, (several, names) => ({
    code: several ? 'several-routes' : 'no-such-route',
    message: several
      ? `several http routes of VirtualService ${options.namespace}/${options.virtualService} lead to ${excerpt(options.baseline)}`
      : `no http route of VirtualService ${options.namespace}/${options.virtualService} ${options.route === undefined ? `leads to ${excerpt(options.baseline)}` : `is called ${excerpt(options.route)}`}`,
    found: excerpt(names || 'no routes', 200),
    fix: several
      ? 'Give the route a name, and name it in the policy as `route`.'
      : 'Correct the names of the route, the baseline and the canary in the policy.',
  }));
}

async function whyNotReady(
  canary: Destination,
  { namespace, destinationRule }: IstioTraffic,
  client: KubernetesClient,
): Promise<string | undefined> {
  const [service = '', inNamespace = namespace] = canary.host.split('.');
  if (canary.subset === undefined) return readyEndpoints(client, inNamespace, service);
  if (destinationRule === undefined) return undefined;
  const rule = await client.get({ ...destinationRuleKind, namespace, name: destinationRule });
  if (rule === undefined) return `DestinationRule ${namespace}/${destinationRule} does not exist`;
  const subsets = z
    .looseObject({
      subsets: z
        .array(z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).exactOptional() }))
        .exactOptional(),
    })
    .safeParse(rule['spec']).data?.subsets;
  const subset = subsets?.find(({ name }) => name === canary.subset);
  if (subset === undefined) {
    return `DestinationRule ${namespace}/${destinationRule} has no subset ${excerpt(canary.subset)}: Istio would answer 503`;
  }
  return readyPods(client, inNamespace, service, subset.labels ?? {});
}
