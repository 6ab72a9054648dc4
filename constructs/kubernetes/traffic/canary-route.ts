import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type HttpRouteRule, type HttpRouteSpec, httpRoute, type ParentReference } from '../crd/gateway-api.ts';
import {
  type DestinationRuleSpec,
  destinationRule,
  type IstioDestination,
  type IstioRoute,
  type VirtualServiceSpec,
  virtualService,
} from '../crd/istio.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkServiceName, labelNames, labelsOf } from '../labels.ts';
import { type ServiceBody, service } from '../native.ts';
import { Findings } from '../problem.ts';
import type { ModelServer } from '../serving/model-server.ts';
import { leastReplicas } from '../serving/serving-plan.ts';

/** Which mesh or gateway divides the requests. */
export type RouteBy =
  | {
      readonly istio: {
        /** What clients call. @default the route's own Service */
        readonly hosts?: readonly string[];
        /** @default the mesh */
        readonly gateways?: readonly string[];
      };
    }
  | {
      readonly gatewayApi: {
        readonly parents: readonly [ParentReference, ...ParentReference[]];
        readonly hostnames?: readonly string[];
      };
    };

export interface CanaryRouteProps {
  readonly by: RouteBy;
  /** Answers everything that the canary does not. */
  readonly baseline: ModelServer;
  readonly canary: ModelServer;
  /**
   * Percent of requests for the canary, as the manifest has it; the canary action moves it.
   * @default 0
   */
  readonly weight?: number;
  /**
   * Requests with this header all go to the canary. `false`: none.
   * @default { name: 'canary', value: 'true' }
   */
  readonly header?: { readonly name: string; readonly value: string } | false;
  /**
   * Copies of the baseline's requests go to the canary, whose answers are thrown away. The share has to be said: without it Istio and the
   * Gateway API copy everything, which doubles the load.
   */
  readonly mirror?: {
    /** 1 to 100. */
    readonly percent: number;
    /** Asking twice changes nothing. Predictions are so; a model that writes, or is billed for each call, is not. */
    readonly idempotent: boolean;
  };
  /** @default none */
  readonly timeout?: Duration;
  /** Path that requests must begin with. @default all */
  readonly pathPrefix?: string;
}

/** The `traffic` of a canary in sluice.yaml, for this route. */
export type RouteTraffic =
  | {
      readonly provider: 'istio';
      readonly namespace: string;
      readonly virtualService: string;
      readonly route: string;
      readonly baseline: string;
      readonly canary: string;
      readonly destinationRule: string;
    }
  | {
      readonly provider: 'gateway-api';
      readonly namespace: string;
      readonly httpRoute: string;
      readonly rule: string;
      readonly baseline: string;
      readonly canary: string;
    };

/** The name of the route, or rule, whose weights are moved. */
const weightedRoute = 'predict';

/**
 * Divides requests between two model servers: exactly the objects that the canary action drives (`traffic` is what to write into the policy).
 * With Istio one Service over both, with a subset for each; with the Gateway API a route to the Service of each.
 */
export class CanaryRoute extends Construct {
  /** The object whose weights are moved. */
  readonly route: CustomResource<VirtualServiceSpec> | CustomResource<HttpRouteSpec>;
  /** Istio: the Service over both. */
  readonly service?: KubernetesObject<ServiceBody>;
  /** Istio: the subsets. */
  readonly destinationRule?: CustomResource<DestinationRuleSpec>;
  /** For `canary.traffic` in sluice.yaml. */
  readonly traffic: RouteTraffic;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: CanaryRouteProps) {
    super(scope, id);
    const { baseline, canary, by } = props;
    check(this, id, props);
    const namespace = baseline.workload.metadata.namespace ?? 'default';
    const labels = labelsOf({
      name: 'canary-route',
      instance: id,
      component: 'traffic',
      partOf: baseline.identity.partOf,
      model: baseline.identity.model,
    });
    const metadata = { name: id, labels };
    const names = { baseline: baseline.identity.instance, canary: canary.identity.instance };
    if ('istio' in by) {
      const ports = baseline.service.body.spec.ports;
      this.service = new KubernetesObject(this, 'service', service, metadata, {
        spec: {
          type: 'ClusterIP',
          selector: {
            [labelNames.component]: 'model-server',
            [labelNames.name]: baseline.identity.name,
            [labelNames.model]: baseline.identity.model ?? '',
          },
          ports,
        },
      });
      this.destinationRule = new CustomResource(this, 'destination-rule', destinationRule, {
        metadata,
        spec: {
          host: id,
          subsets: [names.baseline, names.canary].map((name) => ({ name, labels: { [labelNames.instance]: name } })),
        },
      });
      this.route = new CustomResource(this, 'virtual-service', virtualService, {
        metadata,
        spec: istioSpec(id, names, ports[0]?.port ?? 80, by.istio, props),
      });
      const objects = { virtualService: id, route: weightedRoute, destinationRule: id };
      this.traffic = { provider: 'istio', namespace, ...objects, ...names };
    } else {
      this.route = new CustomResource(this, 'http-route', httpRoute, {
        metadata,
        spec: gatewaySpec(by.gatewayApi, props),
      });
      this.traffic = { provider: 'gateway-api', namespace, httpRoute: id, rule: weightedRoute, ...names };
    }
  }
}

function istioSpec(
  host: string,
  names: { readonly baseline: string; readonly canary: string },
  port: number,
  { hosts, gateways }: Extract<RouteBy, { readonly istio: object }>['istio'],
  { weight = 0, header = defaultHeader, mirror, timeout, pathPrefix }: CanaryRouteProps,
): VirtualServiceSpec {
  const destination = (subset: string): IstioDestination => ({ host, subset, port: { number: port } });
  const uri = pathPrefix === undefined ? {} : { uri: { prefix: pathPrefix } };
  const limits = timeout === undefined ? {} : { timeout: `${timeout.toMilliseconds({ integral: false }) / 1000}s` };
  const forced: readonly IstioRoute[] =
    header === false
      ? []
      : [
          {
            name: 'canary-header',
            // Envoy knows names of headers in small letters.
            match: [{ ...uri, headers: { [header.name.toLowerCase()]: { exact: header.value } } }],
            route: [{ destination: destination(names.canary) }],
            ...limits,
          },
        ];
  return {
    hosts: hosts ?? [host],
    gateways,
    http: [
      ...forced,
      {
        name: weightedRoute,
        match: pathPrefix === undefined ? undefined : [uri],
        route: [
          { destination: destination(names.baseline), weight: 100 - weight },
          { destination: destination(names.canary), weight },
        ],
        ...(mirror === undefined
          ? {}
          : { mirror: destination(names.canary), mirrorPercentage: { value: mirror.percent } }),
        ...limits,
      },
    ],
  };
}

function gatewaySpec(
  { parents, hostnames }: Extract<RouteBy, { readonly gatewayApi: object }>['gatewayApi'],
  { baseline, canary, weight = 0, header = defaultHeader, mirror, timeout, pathPrefix }: CanaryRouteProps,
): HttpRouteSpec {
  const backend = ({ identity, service: { body } }: ModelServer) => ({
    name: identity.instance,
    port: body.spec.ports[0]?.port ?? 80,
  });
  const path = pathPrefix === undefined ? {} : { path: { type: 'PathPrefix' as const, value: pathPrefix } };
  const timeouts = timeout === undefined ? {} : { timeouts: { request: `${timeout.toMilliseconds()}ms` } };
  const forced: readonly HttpRouteRule[] =
    header === false
      ? []
      : [
          {
            name: 'canary-header',
            matches: [{ ...path, headers: [header] }],
            backendRefs: [backend(canary)],
            ...timeouts,
          },
        ];
  return {
    parentRefs: parents,
    hostnames,
    rules: [
      ...forced,
      {
        name: weightedRoute,
        matches: pathPrefix === undefined ? undefined : [path],
        filters:
          mirror === undefined
            ? undefined
            : [
                {
                  type: 'RequestMirror',
                  requestMirror: { backendRef: backend(canary), percent: mirror.percent },
                },
              ],
        backendRefs: [
          { ...backend(baseline), weight: 100 - weight },
          { ...backend(canary), weight },
        ],
        ...timeouts,
      },
    ],
  };
}

const defaultHeader = { name: 'canary', value: 'true' };

function check(
  construct: Construct,
  id: string,
  { baseline, canary, weight = 0, mirror, by, header }: CanaryRouteProps,
): void {
  const findings = new Findings(construct, 'CanaryRoute');
  checkServiceName(id, findings);
  const one = baseline.identity;
  const other = canary.identity;
  findings.demand(one.instance !== other.instance, () => ({
    code: 'one-arm',
    message: 'baseline and canary are the same server',
    found: one.instance,
    fix: 'Add a second server with the new version.',
  }));
  findings.demand(one.model === other.model && one.name === other.name, () => ({
    code: 'two-models',
    message:
      'baseline and canary serve different models, or on different servers, so no number of one can be held against the other',
    found: `${one.model} on ${one.name} and ${other.model} on ${other.name}`,
    fix: 'Give both the same model.name and the same kind of construct.',
  }));
  findings.demand(one.modelVersion !== other.modelVersion, () => ({
    code: 'one-version',
    message: 'baseline and canary have the same model.version, so their metrics cannot be told apart',
    found: one.modelVersion ?? '',
    fix: 'Give the canary the version it is.',
  }));
  findings.demand(Number.isInteger(weight) && weight >= 0 && weight <= 100, () => ({
    code: 'bad-weight',
    message: 'weight is no percentage, and both weights must sum to 100',
    found: String(weight),
    expected: 'a whole number from 0 to 100',
    fix: 'Correct it.',
  }));
  const needed = Math.ceil((leastReplicas(baseline.replicas) * weight) / 100);
  const has = leastReplicas(canary.replicas);
  findings.demand(has >= needed, () => ({
    code: 'canary-too-small',
    message: `weight ${weight} sends the canary what ${needed} of the baseline's ${leastReplicas(baseline.replicas)} replicas answer, and it has ${has}`,
    fix: `Raise the canary's replicas to ${needed}, or lower weight.`,
  }));
  findings.demand(!('istio' in by) || one.instance !== id, () => ({
    code: 'name-taken',
    message: 'the route makes a Service over both servers, and the baseline has one of that name',
    found: id,
    fix: 'Give the route an id of its own.',
  }));
  if (header !== undefined && header !== false) {
    findings.demand(/^[A-Za-z0-9-]{1,256}$/.test(header.name) && /^[\x21-\x7e]{1,1024}$/.test(header.value), () => ({
      code: 'bad-header',
      message: 'header is no header of HTTP',
      found: `${header.name}: ${header.value}`,
      fix: 'Use letters, digits and "-" for its name, and printable ASCII for its value.',
    }));
  }
  if (mirror !== undefined) {
    findings.demand(Number.isInteger(mirror.percent) && mirror.percent >= 1 && mirror.percent <= 100, () => ({
      code: 'bad-mirror',
      message: 'mirror.percent is no percentage',
      found: String(mirror.percent),
      expected: 'a whole number from 1 to 100',
      fix: 'Correct it, or leave mirror out.',
    }));
  }
  findings.throwIfAny();
  if (mirror?.idempotent === false) {
    findings.warn({
      code: 'mirror-repeats-effects',
      message: 'mirror sends requests a second time that have effects of their own',
      fix: 'Mirror only routes where asking twice changes nothing.',
    });
  }
}
