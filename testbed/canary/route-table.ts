import { z } from 'zod';

/** What of a request routes look at. Header names in small letters. */
export interface RoutedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** One way to go, for the requests it matches. */
export interface Route {
  matches(request: RoutedRequest): boolean;
  /** Names as the object has them, and weights of any sum. */
  readonly backends: readonly { readonly name: string; readonly weight: number }[];
  /** Who gets copies, of how many percent. */
  readonly mirror?: { readonly name: string; readonly percent: number };
}

/** The first route that matches is the request's. */
export type RouteTable = readonly Route[];

/** Kinds of objects that a data plane here follows. */
export type RoutedKind = 'istio' | 'gateway-api' | 'kserve-knative' | 'kserve-standard';

/**
 * The routes an object asks for: matches of paths and headers, weights, and mirrors. Rewrites, retries, timeouts and changes of headers are
 * not followed.
 * @throws when the object has no routes that can be followed
 */
export function routesOf(kind: RoutedKind, object: unknown): RouteTable {
  switch (kind) {
    case 'istio':
      return virtualServiceRoutes(object);
    case 'gateway-api':
      return httpRouteRoutes(object);
    case 'kserve-knative':
      return [{ matches: () => true, backends: knativeBackends(object) }];
    case 'kserve-standard':
      return [{ matches: () => true, backends: standardBackends(object) }];
  }
}

/** Draws one of the backends by their weights; `unit` is uniform in [0, 1). `undefined`: all weights are 0. */
export function chosenBackend({ backends }: Route, unit: number): string | undefined {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  let left = unit * total;
  for (const { name, weight } of backends) {
    if (weight > 0 && left < weight) return name;
    left -= weight;
  }
  return undefined;
}

const text = z.looseObject({
  exact: z.string().optional(),
  prefix: z.string().optional(),
  regex: z.string().optional(),
});
const destination = z.looseObject({ host: z.string(), subset: z.string().optional() });
const virtualService = z.looseObject({
  spec: z.looseObject({
    http: z.array(
      z.looseObject({
        match: z
          .array(z.looseObject({ uri: text.optional(), headers: z.record(z.string(), text).optional() }))
          .optional(),
        route: z.array(z.looseObject({ destination, weight: z.number().optional() })),
        mirror: destination.optional(),
        mirrorPercentage: z.looseObject({ value: z.number() }).optional(),
      }),
    ),
  }),
});

/** Istio: in the order of the object; a route without matches takes everything. */
function virtualServiceRoutes(object: unknown): RouteTable {
  return virtualService.parse(object).spec.http.map(({ match, route, mirror, mirrorPercentage }) => ({
    matches: ({ path, headers }) =>
      match === undefined ||
      match.some(
        ({ uri, headers: wanted = {} }) =>
          (uri === undefined || isText(path, uri)) &&
          Object.entries(wanted).every(([name, each]) => isText(headers[name.toLowerCase()], each)),
      ),
    backends: route.map(({ destination: to, weight }) => ({
      name: destinationName(to),
      weight: weight ?? (route.length === 1 ? 100 : 0),
    })),
    ...(mirror === undefined
      ? {}
      : { mirror: { name: destinationName(mirror), percent: mirrorPercentage?.value ?? 100 } }),
  }));
}

/** By its subset, else by its host without the domain. */
function destinationName({ host, subset }: z.infer<typeof destination>): string {
  return subset ?? host.split('.')[0] ?? host;
}

function isText(found: string | readonly string[] | undefined, wanted: z.infer<typeof text>): boolean {
  if (typeof found !== 'string') return false;
  if (wanted.exact !== undefined) return found === wanted.exact;
  if (wanted.prefix !== undefined) return found.startsWith(wanted.prefix);
  return wanted.regex === undefined || new RegExp(`^(?:${wanted.regex})$`).test(found);
}

const backendRef = z.looseObject({ name: z.string(), weight: z.number().optional() });
const httpRoute = z.looseObject({
  spec: z.looseObject({
    rules: z.array(
      z.looseObject({
        matches: z
          .array(
            z.looseObject({
              path: z.looseObject({ type: z.string().optional(), value: z.string() }).optional(),
              headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
            }),
          )
          .optional(),
        filters: z
          .array(
            z.looseObject({
              requestMirror: z.looseObject({ backendRef, percent: z.number().optional() }).optional(),
            }),
          )
          .optional(),
        backendRefs: z.array(backendRef).optional(),
      }),
    ),
  }),
});

/** Gateway API: an exact path before a prefix, a long prefix before a short one, many headers before few, then the object's order. */
function httpRouteRoutes(object: unknown): RouteTable {
  const entries = httpRoute.parse(object).spec.rules.flatMap(({ matches = [{}], filters = [], backendRefs = [] }) => {
    const mirror = filters.flatMap(({ requestMirror }) => requestMirror ?? [])[0];
    return matches.map(({ path = { value: '/' }, headers = [] }) => {
      const exact = path.type === 'Exact';
      const route: Route = {
        matches: (request) =>
          (exact ? request.path === path.value : hasPrefix(request.path, path.value)) &&
          headers.every(({ name, value }) => request.headers[name.toLowerCase()] === value),
        backends: backendRefs.map(({ name, weight }) => ({ name, weight: weight ?? 1 })),
        ...(mirror === undefined ? {} : { mirror: { name: mirror.backendRef.name, percent: mirror.percent ?? 100 } }),
      };
      return { route, rank: [exact ? 1 : 0, path.value.length, headers.length] };
    });
  });
  const order = (one: readonly number[], other: readonly number[]): number =>
    one.map((rank, index) => (other[index] ?? 0) - rank).find((difference) => difference !== 0) ?? 0;
  return entries.toSorted((one, other) => order(one.rank, other.rank)).map(({ route }) => route);
}

/** By whole elements of the path. */
function hasPrefix(path: string, prefix: string): boolean {
  const bare = prefix.replace(/\/$/, '');
  return path === bare || path.startsWith(`${bare}/`);
}

const knativeService = z.looseObject({
  status: z.looseObject({
    components: z.looseObject({
      predictor: z.looseObject({
        traffic: z.array(z.looseObject({ revisionName: z.string(), percent: z.number() })),
      }),
    }),
  }),
});

/** Knative routes as the controller has told it, which the status repeats; the spec alone moves nothing. */
function knativeBackends(object: unknown): Route['backends'] {
  return knativeService
    .parse(object)
    .status.components.predictor.traffic.map(({ revisionName, percent }) => ({ name: revisionName, weight: percent }));
}

const standardService = z.looseObject({
  spec: z.looseObject({ predictor: z.looseObject({ name: z.string().optional() }) }),
  status: z.looseObject({
    canaryStatuses: z.array(z.looseObject({ name: z.string(), trafficPercent: z.number() })).optional(),
  }),
});

/** The predictor's name where it has none. */
export const stablePredictor = 'stable';

function standardBackends(object: unknown): Route['backends'] {
  const { spec, status } = standardService.parse(object);
  const canaries = (status.canaryStatuses ?? []).map(({ name, trafficPercent }) => ({ name, weight: trafficPercent }));
  const left = 100 - canaries.reduce((sum, { weight }) => sum + weight, 0);
  return [{ name: spec.predictor.name ?? stablePredictor, weight: left }, ...canaries];
}
