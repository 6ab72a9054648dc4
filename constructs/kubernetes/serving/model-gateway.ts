import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { configMapName } from '../config-map-name.ts';
import { selectorOf } from '../labels.ts';
import type { NetworkPolicyBody } from '../native.ts';
import { drainPlan } from '../pod/drain.ts';
import { dnsLookup } from '../pod/model-fetch.ts';
import type { SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, coresOf, type Memory } from '../quantity.ts';
import { bearerTokenProgram, tokenFile } from './gateway/bearer-token.ts';
import { gatewayConfig, gatewayFolder } from './gateway/gateway-config.ts';
import { type FoundProblems, type GatewayRoute, routePlans } from './gateway/gateway-route.ts';
import { ProgramDeployment } from './program-deployment.ts';
import type { ServerProgram } from './server-program.ts';
import type { WorkloadProps } from './serving-props.ts';

export interface ModelGatewayProps extends Omit<WorkloadProps, 'gpu' | 'sharedMemory' | 'latencyBudget'> {
  /** NGINX 1.22 or later with its JavaScript module, listening as user 101: `nginxinc/nginx-unprivileged`, not its `-slim` form. */
  readonly image: string;
  /**
   * The Secret with the tokens that clients may send as `Authorization: Bearer ...`, one a line: two while one is replaced. `'none'` lets
   * everybody in whom the NetworkPolicy does.
   */
  readonly tokens: SecretKey | 'none';
  readonly routes: readonly [GatewayRoute, ...GatewayRoute[]];
  /** Room for answers that are kept. @default 1Gi where a route has `cache`, else none */
  readonly cacheVolume?: Memory;
  /** Room for requests until they are whole. @default 1Gi */
  readonly bufferVolume?: Memory;
}

/**
 * What stands in front of model servers: an NGINX that lets in who has a token, and only on the routes, with the methods and up to the size that
 * are named; that keeps answers to GETs where asked to; and that says how it and each server is (`/healthz`, `/healthz/<route>`). Servers do
 * not see clients' tokens, and nobody sees their metrics through it. It speaks HTTP on port 8080; TLS ends before it. It tells no
 * metrics of its own: its log has a line of JSON for each request.
 *
 * NGINX asks for the servers' addresses when it starts: their Services have to be there, and stay.
 */
export class ModelGateway extends ProgramDeployment {
  constructor(scope: Construct, id: string, props: ModelGatewayProps) {
    super(scope, id, {
      ...props,
      component: 'gateway',
      egress: [...egressOf(props, Chart.of(scope).namespace), ...(props.egress ?? [])],
      server: gatewayServer(props.name ?? id, props, Chart.of(scope).namespace),
    });
  }
}

function gatewayServer(name: string, props: ModelGatewayProps, home: string | undefined): ServerProgram {
  const { tokens, bufferVolume = '1Gi', cacheVolume = '1Gi' } = props;
  const { problems, demand, add } = problemList();
  const shutdown = drainPlan(props.drain ?? {}).timeout;
  const routes = routePlans(props.routes, { home, drain: shutdown, buffer: bufferVolume }, { demand, add });
  for (const [prop, size] of [
    ['bufferVolume', bufferVolume],
    ['cacheVolume', cacheVolume],
  ] as const) {
    demand(bytesOf(size) !== undefined, () => ({
      code: 'bad-quantity',
      message: `${prop} is no amount of memory`,
      found: size,
      fix: 'Write it as 1Gi.',
    }));
  }
  const caches = routes.some(({ cacheSeconds }) => cacheSeconds !== undefined);
  const cores = coresOf(typeof props.cpu === 'object' ? props.cpu.limit : props.cpu) ?? 1;
  // A configuration is only made of what was found good.
  const data: Readonly<Record<string, string>> =
    problems.length > 0
      ? {}
      : {
          'nginx.conf': gatewayConfig({
            port: 8080,
            workers: Math.ceil(cores),
            shutdown,
            authenticated: tokens !== 'none',
            // A tenth is left for what is on its way in: the kubelet ends a pod whose volume is over its size.
            cacheSize: Math.floor((bytesOf(cacheVolume) ?? 0) * 0.9),
            routes,
          }),
          ...(tokens === 'none' ? {} : { 'bearer-token.js': bearerTokenProgram }),
        };
  const configMap = configMapName(name, data);
  return {
    construct: 'ModelGateway',
    name: 'sluice-gateway',
    command: ['nginx'],
    args: ['-e', 'stderr', '-c', `${gatewayFolder}/nginx.conf`],
    ports: [{ name: 'http', port: 8080, appProtocol: 'http' }],
    health: {
      ready: { httpGet: { path: '/healthz', port: 'http' } },
      live: { httpGet: { path: '/healthz', port: 'http' } },
    },
    runAs: { user: 101, group: 101 },
    writable: [
      { name: 'tmp', path: '/tmp', size: bufferVolume },
      ...(caches ? [{ name: 'cache', path: '/cache', size: cacheVolume }] : []),
    ],
    // The image asks for SIGQUIT, with which NGINX finishes what it has.
    onTerminate: 'finishes',
    gpu: 'none',
    configMap: { name: configMap, data },
    volumes: [
      { name: 'gateway', configMap: { name: configMap } },
      ...(tokens === 'none'
        ? []
        : [
            {
              name: 'tokens',
              secret: { secretName: tokens.name, defaultMode: 0o440, items: [{ key: tokens.key, path: 'tokens' }] },
            },
          ]),
    ],
    mounts: [
      { name: 'gateway', mountPath: gatewayFolder, readOnly: true },
      ...(tokens === 'none'
        ? []
        : [{ name: 'tokens', mountPath: tokenFile.slice(0, tokenFile.lastIndexOf('/')), readOnly: true }]),
    ],
    problems,
    warnings:
      tokens === 'none'
        ? [
            {
              code: 'gateway-without-tokens',
              message: "tokens is 'none', so every pod that reaches the gateway may ask every model",
              fix: 'Name a Secret with tokens: { name, key }, or let only an authenticating proxy be among clients.',
            },
          ]
        : [],
  };
}

/** Name lookup, and each server on its own port. */
function egressOf({ routes }: ModelGatewayProps, home: string | undefined): NetworkPolicyBody['spec']['egress'] {
  const rules = routes.map(({ to }) => {
    if (!('service' in to)) return { ports: [{ port: to.port, protocol: 'TCP' as const }] };
    const namespace = to.service.metadata.namespace;
    return {
      to: [
        {
          podSelector: { matchLabels: selectorOf(to.identity) },
          ...(namespace === undefined || namespace === home
            ? {}
            : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }),
        },
      ],
      ports: [{ port: 'http', protocol: 'TCP' as const }],
    };
  });
  const distinct = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return [dnsLookup, ...distinct.values()];
}

/** Collects problems before there is a construct to place them at. */
function problemList(): FoundProblems & { readonly problems: readonly ConstructProblem[] } {
  const problems: ConstructProblem[] = [];
  return {
    problems,
    add: (...more) => {
      problems.push(...more);
    },
    demand: (condition, problem) => {
      if (!condition) problems.push(problem());
    },
  };
}
