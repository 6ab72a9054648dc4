import type { Duration } from 'cdk8s';
import type { Findings } from '../../problem.ts';
import { bytesOf, type Memory } from '../../quantity.ts';
import type { ProgramDeployment } from '../program-deployment.ts';
import type { RoutePlan } from './gateway-config.ts';

/** Takes problems, whoever places them. */
export type FoundProblems = Pick<Findings, 'add' | 'demand'>;

/** HTTP without TLS, elsewhere in the cluster or outside of it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export type GatewayMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One way through the gateway. */
export interface GatewayRoute {
  /** As clients ask for it: `/churn`. Everything below it goes the same way. */
  readonly path: string;
  /** Only this path. @default false */
  readonly exact?: boolean;
  /** A server of this app, or an address. */
  readonly to: ProgramDeployment | ServerAddress;
  /**
   * What `path` is at the server: with `/`, `/churn/v2/models` is asked there as `/v2/models`.
   * @default '/'; with `exact` the path itself
   */
  readonly target?: string;
  /**
   * In the log, and as `/healthz/<name>`.
   * @default the server's instance; for an address its host with "-" for "."
   */
  readonly name?: string;
  /** @default GET, HEAD and POST */
  readonly methods?: readonly [GatewayMethod, ...GatewayMethod[]];
  /**
   * The server may be silent this long, then the client gets 504. At most the gateway's `drain.timeout`.
   * @default 30 seconds
   */
  readonly timeout?: Duration;
  /** A larger request gets 413. @default 8Mi */
  readonly bodyLimit?: Memory;
  /** Pass an answer on as it comes: for tokens of a language model. @default false */
  readonly stream?: boolean;
  /**
   * Keep answers to GETs (never to POSTs: the body would have to be a part of the key) for so long, unless the server says otherwise
   * (`Cache-Control`), and never for who sends a cookie. A new version of a model is behind its old answers for that long.
   * @default none
   */
  readonly cache?: { readonly ttl: Duration };
  /** Whether the server gets to see the client's token. @default false */
  readonly forwardAuthorization?: boolean;
  /**
   * The server's route that says whether it is ready, offered as `/healthz/<name>`.
   * @default the one its readiness probe asks; for an address none
   */
  readonly ready?: string;
}

/** Methods in the order in which they are written. */
const methodNames: readonly GatewayMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const segment = '[A-Za-z0-9_~-][A-Za-z0-9._~-]*';
const pathPattern = new RegExp(`^/(?:${segment}(?:/${segment})*)?$`);

/** `home`: the gateway's namespace. Adds every problem it finds. */
export function routePlans(
  routes: readonly GatewayRoute[],
  { home, drain, buffer }: { readonly home: string | undefined; readonly drain: number; readonly buffer: Memory },
  findings: FoundProblems,
): readonly RoutePlan[] {
  const plans = routes.map((route, index) => {
    const prop = `routes[${index}]`;
    checkRoute(route, prop, findings);
    checkSizes(route, prop, drain, buffer, findings);
    return planOf(route, home, prop, findings);
  });
  for (const what of ['path', 'name'] as const) {
    const seen = new Set<string>();
    plans.forEach((plan, index) => {
      findings.demand(!seen.has(plan[what]), () => ({
        code: 'route-twice',
        message: `routes[${index}] has the ${what} of another route`,
        found: plan[what],
        fix: what === 'path' ? 'Give each its own path.' : `Set routes[${index}].name.`,
      }));
      seen.add(plan[what]);
    });
  }
  return plans;
}

function checkRoute(
  { path, target, ready, name, to, methods }: GatewayRoute,
  prop: string,
  findings: FoundProblems,
): void {
  for (const [what, text] of [
    ['path', path],
    ['target', target],
    ['ready', ready],
  ] as const) {
    findings.demand(text === undefined || pathPattern.test(text), () => ({
      code: 'bad-path',
      message: `${prop}.${what} is no path`,
      found: text ?? '',
      expected: '"/", or "/" and words of letters, digits, ".", "_", "~" and "-", without a "/" at the end',
      fix: 'Correct it.',
    }));
  }
  findings.demand(path !== '/healthz' && !path.startsWith('/healthz/'), () => ({
    code: 'path-taken',
    message: `${prop}.path is where the gateway says how it is`,
    found: path,
    fix: 'Choose another path.',
  }));
  findings.demand(name === undefined || /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name), () => ({
    code: 'bad-name',
    message: `${prop}.name is no name of a route`,
    found: name ?? '',
    expected: 'at most 63 small letters, digits and "-"',
    fix: 'Correct it.',
  }));
  for (const method of methods ?? []) {
    findings.demand(methodNames.includes(method), () => ({
      code: 'bad-method',
      message: `${prop}.methods has one that the gateway does not let through`,
      found: method,
      expected: methodNames.join(', '),
      fix: 'Leave it out.',
    }));
  }
  if ('service' in to) return;
  findings.demand(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/.test(to.host), () => ({
    code: 'bad-address',
    message: `${prop}.to.host is no name and no IPv4 address`,
    found: to.host,
    fix: 'Write it as churn.shop.',
  }));
  findings.demand(Number.isInteger(to.port) && to.port >= 1 && to.port <= 65_535, () => ({
    code: 'bad-address',
    message: `${prop}.to.port is no port`,
    found: String(to.port),
    expected: '1 to 65535',
    fix: 'Correct it.',
  }));
}

function checkSizes(route: GatewayRoute, prop: string, drain: number, buffer: Memory, findings: FoundProblems): void {
  const { timeout, bodyLimit, cache, stream, forwardAuthorization, methods } = route;
  const wait = secondsOf(timeout, 30);
  findings.demand(wait >= 1, () => ({
    code: 'bad-timeout',
    message: `${prop}.timeout leaves no time to answer`,
    found: `${wait} s`,
    fix: 'Set it to at least a second.',
  }));
  findings.demand(wait <= drain, () => ({
    code: 'drain-before-timeout',
    message: `${prop}.timeout ${wait} s is more than drain.timeout ${drain} s, so an update of the gateway cuts off answers on their way`,
    fix: `Raise drain.timeout to ${wait} s, or lower the timeout.`,
  }));
  const limit = bytesOf(bodyLimit ?? '8Mi');
  findings.demand(limit !== undefined, () => ({
    code: 'bad-quantity',
    message: `${prop}.bodyLimit is no amount of memory`,
    found: String(bodyLimit),
    fix: 'Write it as 8Mi.',
  }));
  findings.demand((limit ?? 0) <= (bytesOf(buffer) ?? Number.POSITIVE_INFINITY), () => ({
    code: 'body-over-buffer',
    message: `${prop}.bodyLimit ${bodyLimit} does not fit into bufferVolume ${buffer}, where a request waits until it is whole`,
    fix: 'Raise bufferVolume to several times the largest request.',
  }));
  if (cache === undefined) return;
  findings.demand(secondsOf(cache.ttl, 0) >= 1, () => ({
    code: 'bad-ttl',
    message: `${prop}.cache.ttl is less than a second`,
    found: cache.ttl.toHumanString(),
    fix: 'Raise it, or leave cache out.',
  }));
  findings.demand(stream !== true, () => ({
    code: 'cache-of-a-stream',
    message: `${prop} has cache and stream, and what is passed on as it comes cannot be kept`,
    fix: 'Leave one of them out.',
  }));
  findings.demand(forwardAuthorization !== true, () => ({
    code: 'cache-of-a-secret',
    message: `${prop} has cache and forwardAuthorization, so one client would get what the server answered another's token`,
    fix: 'Leave one of them out.',
  }));
  findings.demand(methods === undefined || methods.includes('GET'), () => ({
    code: 'cache-of-nothing',
    message: `${prop}.cache keeps answers to GETs, and methods has no GET`,
    fix: 'Leave cache out.',
  }));
}

function planOf(route: GatewayRoute, home: string | undefined, prop: string, findings: FoundProblems): RoutePlan {
  const { path, exact = false, to, methods = ['GET', 'HEAD', 'POST'] } = route;
  const at = 'service' in to ? serverOf(to, home, prop, findings) : { ...to, ready: undefined, hidden: [] };
  const name = route.name ?? ('service' in to ? to.identity.instance : to.host.toLowerCase().replaceAll('.', '-'));
  return {
    name,
    upstream: { host: at.host, port: at.port },
    path,
    exact,
    target: route.target ?? (exact ? path : '/'),
    methods: methodNames.filter((each) => methods.includes(each)),
    bodyLimit: bytesOf(route.bodyLimit ?? '8Mi') ?? 0,
    timeout: secondsOf(route.timeout, 30),
    stream: route.stream ?? false,
    forwardAuthorization: route.forwardAuthorization ?? false,
    cacheSeconds: route.cache === undefined ? undefined : secondsOf(route.cache.ttl, 0),
    ready: route.ready ?? at.ready,
    hidden: exact || (route.target ?? '/') !== '/' ? [] : at.hidden,
  };
}

interface Found {
  readonly host: string;
  readonly port: number;
  readonly ready: string | undefined;
  readonly hidden: readonly string[];
}

/** Where a server of this app answers HTTP, as its own objects say. */
function serverOf(server: ProgramDeployment, home: string | undefined, prop: string, findings: FoundProblems): Found {
  const { service, workload, metrics } = server;
  const { name, namespace } = service.metadata;
  const port = service.body.spec.ports.find((each) => each.name === 'http');
  findings.demand(port !== undefined, () => ({
    code: 'no-http',
    message: `${prop}.to ${server.identity.instance} has no port called http`,
    fix: 'Route to a server that answers HTTP.',
  }));
  const probe = workload.body.spec.template.spec.containers[0]?.readinessProbe;
  const asked =
    probe !== undefined && 'httpGet' in probe && probe.httpGet.port === 'http' ? probe.httpGet.path : undefined;
  return {
    host: namespace === undefined || namespace === home ? (name ?? '') : `${name}.${namespace}`,
    port: port?.port ?? 0,
    ready: asked !== undefined && pathPattern.test(asked) ? asked : undefined,
    hidden: metrics?.port === 'http' ? [metrics.path] : [],
  };
}

function secondsOf(duration: Duration | undefined, otherwise: number): number {
  return duration === undefined ? otherwise : Math.ceil(duration.toSeconds({ integral: false }));
}
