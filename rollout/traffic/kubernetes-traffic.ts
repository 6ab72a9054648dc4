import * as z from 'zod';
import { objectName } from '../kubernetes/kubernetes-object.ts';

const namespace = objectName;
const name = objectName;

/** One http route of an Istio VirtualService (Istio 1.22 and later). */
const istioTraffic = z
  .strictObject({
    provider: z.literal('istio'),
    namespace,
    virtualService: name,
    /** The http route's `name`; needed when several lead to the baseline. */
    route: z.string().min(1).exactOptional(),
    /** A destination's subset, or its host where it has none. */
    baseline: z.string().min(1),
    canary: z.string().min(1),
    /** Where the subsets are: with it, a canary without its subset or without ready pods is told before traffic moves. */
    destinationRule: name.exactOptional(),
  })
  .readonly();

/** One rule of a Gateway API HTTPRoute (Gateway API 1.0 and later; mirroring less than everything needs 1.3). */
const gatewayTraffic = z
  .strictObject({
    provider: z.literal('gateway-api'),
    namespace,
    httpRoute: name,
    /** The rule's `name`; needed when several lead to the baseline. */
    rule: z.string().min(1).exactOptional(),
    /** Services. */
    baseline: name,
    canary: name,
  })
  .readonly();

/** A KServe InferenceService's predictor. */
const kserveTraffic = z
  .strictObject({
    provider: z.literal('kserve'),
    namespace,
    inferenceService: name,
    /** `knative`: `canaryTrafficPercent` between revisions. `standard`: `spec.canary[]`, KServe 0.20 and later. */
    mode: z.enum(['knative', 'standard']),
    /** In Standard mode, the `predictor.name` of the entry in `spec.canary`; needed when there are several. */
    canary: z.string().min(1).exactOptional(),
  })
  .readonly();

/** A Seldon Core 1 SeldonDeployment's predictors, or a Seldon Core 2 Experiment's candidates. */
const seldonTraffic = z
  .strictObject({
    provider: z.literal('seldon'),
    namespace,
    kind: z.enum(['SeldonDeployment', 'Experiment']),
    name,
    baseline: z.string().min(1),
    canary: z.string().min(1),
  })
  .readonly();

/** Where in a cluster the traffic is moved. Also what the guard is told, as JSON. */
export const kubernetesTraffic = z.discriminatedUnion('provider', [
  istioTraffic,
  gatewayTraffic,
  kserveTraffic,
  seldonTraffic,
]);

/** Who moves traffic in a cluster. */
export const kubernetesProviders = [
  'istio',
  'gateway-api',
  'kserve',
  'seldon',
] as const satisfies readonly KubernetesTraffic['provider'][];

export type IstioTraffic = z.infer<typeof istioTraffic>;
export type GatewayTraffic = z.infer<typeof gatewayTraffic>;
export type KserveTraffic = z.infer<typeof kserveTraffic>;
export type SeldonTraffic = z.infer<typeof seldonTraffic>;
export type KubernetesTraffic = z.infer<typeof kubernetesTraffic>;
