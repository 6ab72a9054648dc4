import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import {
  type SeldonDeploymentSpec,
  type SeldonExperimentSpec,
  type SeldonModelSpec,
  seldonDeployment,
  seldonExperiment,
  seldonModel,
} from '../crd/seldon.ts';
import type { KubernetesObject } from '../kubernetes-object.ts';
import { checkLabels, checkServiceName, type Identity, type Labels, labelNames, labelsOf } from '../labels.ts';
import type { NetworkPolicyBody, PodDisruptionBudgetBody } from '../native.ts';
import { gpuProblems } from '../pod/gpu.ts';
import { dnsLookup } from '../pod/model-fetch.ts';
import { containerSecurity } from '../pod/security.ts';
import { spreadOver } from '../pod/spread.ts';
import { type ConstructProblem, Findings } from '../problem.ts';
import { type ContainerSize, guaranteed, placementOf } from './container-resources.ts';
import { ControlledPods, type PodAccess } from './controlled-pods.ts';
import { defaultClients, defaultScrapers } from './peers.ts';
import type { MetricsEndpoint } from './server-program.ts';
import type { ModelIdentity } from './serving-props.ts';
import { type ToldMetrics, toldEndpoint, toldProblems } from './told-metrics.ts';

export type SeldonPredictorProps = ContainerSize & {
  /** Its name, and the version of the model. */
  readonly version: string;
  readonly modelUri: string;
  /** Percent; those of all predictors but shadows sum to 100. */
  readonly traffic: number;
  /** @default 2 */
  readonly replicas?: number;
  /** Gets copies of everything and answers nobody; Seldon knows no share of it. */
  readonly shadow?: boolean;
};

/** `clients`: the gateway that requests come through; by default nobody but the pods of the namespace. */
export interface SeldonDeploymentProps extends PodAccess {
  readonly model: ModelIdentity['name'];
  /** @default 'TRITON_SERVER' */
  readonly implementation?:
    | 'TRITON_SERVER'
    | 'SKLEARN_SERVER'
    | 'XGBOOST_SERVER'
    | 'MLFLOW_SERVER'
    | 'HUGGINGFACE_SERVER';
  readonly predictors: readonly [SeldonPredictorProps, ...SeldonPredictorProps[]];
  /**
   * What the server and its clients speak: the Open Inference Protocol, or Seldon's own of before, which Triton and the Hugging Face server don't.
   * @default 'v2'
   */
  readonly protocol?: 'v2' | 'seldon';
  /** A Secret with what is needed to read the models. */
  readonly envSecret?: string;
  /** Where the servers tell their metrics. @default of Triton and MLServer; those of protocol `seldon` cannot be monitored without */
  readonly metrics?: ToldMetrics;
}

/**
 * A SeldonDeployment of Seldon Core 1. Releases since 2024 are under the Business Source License: read it before production. User and groups of
 * the pods are the operator's to set (it replaces what an object says); the rest of the habits is here.
 */
export class SeldonDeployment extends Construct {
  readonly workload: CustomResource<SeldonDeploymentSpec>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** One for each predictor with more than one replica. */
  readonly podDisruptionBudgets: readonly KubernetesObject<PodDisruptionBudgetBody>[];
  readonly identity: Identity;
  /** Of the server beside Seldon's executor. */
  readonly metrics?: MetricsEndpoint;
  readonly podLabels: Labels;
  readonly withoutMetrics?: ConstructProblem;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: SeldonDeploymentProps) {
    super(scope, id);
    const { predictors, implementation = 'TRITON_SERVER', protocol = 'v2', model, envSecret } = props;
    this.identity = { name: 'seldon', instance: id, component: 'model-server', partOf: model, model };
    const findings = new Findings(this, 'SeldonDeployment');
    checkServiceName(id, findings);
    checkLabels(labelsOf(this.identity), findings);
    checkShares(
      'predictors',
      predictors
        .filter(({ shadow }) => shadow !== true)
        .map(({ version, traffic }) => ({ name: version, share: traffic })),
      findings,
    );
    findings.add(...toldProblems(props.metrics));
    findings.demand(protocol === 'v2' || implementation.match(/^(?:TRITON|HUGGINGFACE)_/) === null, () => ({
      code: 'protocol-unknown',
      message: `${implementation} does not speak the protocol seldon: Seldon has no image of it that does`,
      fix: "Leave protocol out, or set it to 'v2'.",
    }));
    for (const { version, gpu } of predictors) {
      checkServiceName(nameOf(version), findings);
      if (gpu !== undefined) findings.add(...gpuProblems(gpu));
    }
    findings.throwIfAny();
    const shadow = predictors.find((each) => each.shadow === true);
    if (shadow !== undefined) {
      findings.warn({
        code: 'shadow-copies-everything',
        message: `shadow ${shadow.version} gets a copy of every request, also of those that have effects of their own: Seldon Core 1 knows no share of it`,
        fix: 'Give it as many replicas as the others together, or mirror a share with CanaryRoute or SeldonExperiment.',
      });
    }
    const selector: Labels = { [deploymentLabel]: id };
    this.podLabels = selector;
    const metrics = endpointOf(model, implementation, protocol, props.metrics);
    if (metrics === undefined) this.withoutMetrics = unknownMetrics(implementation);
    else this.metrics = metrics;
    this.workload = new CustomResource(this, 'seldon-deployment', seldonDeployment, {
      metadata: { name: id, labels: labelsOf(this.identity) },
      spec: {
        protocol,
        predictors: predictors.map(({ version, modelUri, traffic, replicas = 2, shadow, ...size }) => ({
          name: nameOf(version),
          replicas,
          traffic: shadow === true ? undefined : traffic,
          shadow: shadow === true ? true : undefined,
          labels: labelsOf({ ...this.identity, modelVersion: version }),
          graph: { name: model, implementation, modelUri, envSecretRefName: envSecret },
          componentSpecs: [
            {
              spec: {
                automountServiceAccountToken: false,
                enableServiceLinks: false,
                ...placementOf(size),
                topologySpreadConstraints: spreadOver({ ...selector, [labelNames.modelVersion]: version }),
                containers: [
                  {
                    name: model,
                    ports: implementation === 'TRITON_SERVER' ? undefined : [metricsPort],
                    resources: guaranteed(size),
                    securityContext: seldonSecurity,
                  },
                ],
              },
            },
          ],
        })),
      },
    });
    const pods = new ControlledPods(this, 'pods', {
      name: id,
      labels: labelsOf(this.identity),
      selector,
      access: props.networkPolicy === false ? undefined : accessOf(props),
    });
    if (pods.networkPolicy !== undefined) this.networkPolicy = pods.networkPolicy;
    this.podDisruptionBudgets = predictors.flatMap(({ version, replicas = 2 }) => {
      const { podDisruptionBudget } = new ControlledPods(this, `pods-${nameOf(version)}`, {
        name: `${id}-${nameOf(version)}`,
        labels: labelsOf({ ...this.identity, modelVersion: version }),
        selector: { ...selector, [labelNames.modelVersion]: version },
        disruption: replicas > 1 ? { maxUnavailable: 1 } : undefined,
      });
      return podDisruptionBudget === undefined ? [] : [podDisruptionBudget];
    });
  }
}

/** What Seldon's operator gives every pod of a SeldonDeployment, beside the labels of its predictor (seldondeployment_controller.go, 1.x). */
const deploymentLabel = 'seldon-deployment-id';

/** Its servers write beside their programs. */
const seldonSecurity = { ...containerSecurity, readOnlyRootFilesystem: false };

/**
 * Of the server, whose container is named as the model. Triton's are where it has them unasked. All others are told where by a port called
 * `metrics`, which the operator would number anew for each predictor, had the container none, and takes out of MLServer's again
 * (operator/controllers/seldondeployment_controller.go and mlserver.go, defaults.go of its API, 1.18).
 */
function endpointOf(
  model: string,
  implementation: NonNullable<SeldonDeploymentProps['implementation']>,
  protocol: 'v2' | 'seldon',
  told: ToldMetrics | undefined,
): MetricsEndpoint | undefined {
  if (told !== undefined) return toldEndpoint(model, told);
  if (implementation === 'TRITON_SERVER') return toldEndpoint(model, { port: 8002, profile: 'triton' });
  return protocol === 'seldon'
    ? undefined
    : toldEndpoint(model, { port: metricsPort.containerPort, path: '/prometheus', profile: 'mlserver' });
}

const metricsPort = { name: 'metrics', containerPort: 6000, protocol: 'TCP' } as const;

function unknownMetrics(implementation: string): ConstructProblem {
  return {
    code: 'unknown-metrics',
    message: `${implementation} over the protocol seldon has no metrics that are understood here`,
    fix: "Set protocol of the SeldonDeployment to 'v2', or metrics to what its server has ({ port: 6000, path: '/prometheus' }).",
  };
}

/** Seldon's executor answers on 8000 and 5001, and tells its metrics on 8000; those of the server beside it are on 6000, Triton's on 8002. */
function accessOf({
  predictors,
  clients = defaultClients,
  scrapers = defaultScrapers,
  egress = [],
  metrics,
}: SeldonDeploymentProps): Pick<NetworkPolicyBody['spec'], 'ingress' | 'egress'> {
  const ports = (...numbers: readonly number[]) => numbers.map((port) => ({ port, protocol: 'TCP' as const }));
  const fetches = predictors.some(({ modelUri }) => !modelUri.startsWith('pvc:'));
  return {
    ingress: [
      { from: clients, ports: ports(8000, 5001) },
      {
        from: scrapers,
        ports: ports(...new Set([8000, 6000, 8002, ...(metrics === undefined ? [] : [metrics.port])])),
      },
    ],
    egress: [dnsLookup, ...(fetches ? [{ ports: ports(443) }] : []), ...egress],
  };
}

/** A predictor's name is a DNS label: version 3 is `v3`. */
function nameOf(version: string): string {
  return /^[a-z]/.test(version) ? version : `v${version}`;
}

export interface SeldonExperimentProps {
  readonly model: ModelIdentity['name'];
  /** Each becomes a Model. The first is the default: requests to it are what the experiment divides. */
  readonly candidates: readonly [SeldonCandidate, ...SeldonCandidate[]];
  /** Another model that gets copies. The share has to be said. */
  readonly mirror?: { readonly version: string; readonly storageUri: string; readonly percent: number };
  /** What of a server the models need: `onnx`, `sklearn`. */
  readonly requirements: readonly string[];
  /** @default 1 */
  readonly replicas?: number;
  readonly memory?: string;
  readonly secret?: string;
}
export interface SeldonCandidate {
  readonly version: string;
  readonly storageUri: string;
  /** Percent; all sum to 100. */
  readonly weight: number;
}

/**
 * Models of Seldon Core 2 and the Experiment that divides requests between them. Business Source License, as above. They run in the pods of a
 * Server that other models share, so who reaches those pods, how many may be evicted and who reads their metrics is that Server's, and the
 * platform's, to say.
 */
export class SeldonExperiment extends Construct {
  readonly models: readonly CustomResource<SeldonModelSpec>[];
  readonly experiment: CustomResource<SeldonExperimentSpec>;
  readonly identity: Identity;
  readonly withoutMetrics: ConstructProblem = {
    code: 'shared-metrics',
    message:
      'models of Seldon Core 2 run in the pods of a Server that other models share, and an Experiment has no pods',
    fix: 'Scrape the Server\'s pods, and make rules and dashboard of the models there with servingRules and servingDashboard (profile "mlserver" or "triton").',
  };
  /** For `canary.traffic` in sluice.yaml, where there are two candidates. */
  readonly traffic?: {
    readonly provider: 'seldon';
    readonly kind: 'Experiment';
    readonly namespace: string;
    readonly name: string;
    readonly baseline: string;
    readonly canary: string;
  };

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: SeldonExperimentProps) {
    super(scope, id);
    const { model, candidates, mirror, requirements, replicas = 1 } = props;
    const name = (version: string): string => `${model}-${nameOf(version)}`;
    const findings = new Findings(this, 'SeldonExperiment');
    checkServiceName(id, findings);
    checkShares(
      'candidates',
      candidates.map(({ version, weight }) => ({ name: version, share: weight })),
      findings,
    );
    findings.demand(mirror === undefined || (mirror.percent >= 1 && mirror.percent <= 100), () => ({
      code: 'bad-mirror',
      message: 'mirror.percent is no percentage',
      found: String(mirror?.percent),
      expected: '1 to 100',
      fix: 'Correct it, or leave mirror out.',
    }));
    findings.throwIfAny();

    this.identity = { name: 'seldon', instance: id, component: 'model-server', partOf: model, model };
    const labels = (modelVersion?: string) => labelsOf({ ...this.identity, modelVersion });
    this.models = [...candidates, ...(mirror === undefined ? [] : [mirror])].map(
      ({ version, storageUri }) =>
        new CustomResource(this, `model-${version}`, seldonModel, {
          metadata: { name: name(version), labels: labels(version) },
          spec: { storageUri, requirements, replicas, memory: props.memory, secretName: props.secret },
        }),
    );
    const [first, second, ...more] = candidates;
    this.experiment = new CustomResource(this, 'experiment', seldonExperiment, {
      metadata: { name: id, labels: labels() },
      spec: {
        default: name(first.version),
        candidates: candidates.map(({ version, weight }) => ({ name: name(version), weight })),
        mirror: mirror === undefined ? undefined : { name: name(mirror.version), percent: mirror.percent },
      },
    });
    if (second !== undefined && more.length === 0) {
      this.traffic = {
        provider: 'seldon',
        kind: 'Experiment',
        namespace: this.experiment.metadata.namespace ?? 'default',
        name: id,
        baseline: name(first.version),
        canary: name(second.version),
      };
    }
  }
}

function checkShares(
  prop: string,
  arms: readonly { readonly name: string; readonly share: number }[],
  findings: Findings,
): void {
  const sum = arms.reduce((all, { share }) => all + share, 0);
  findings.demand(sum === 100 && arms.every(({ share }) => Number.isInteger(share) && share >= 0), () => ({
    code: 'weights-not-100',
    message: `the shares of ${prop} do not sum to 100`,
    found: arms.map(({ name, share }) => `${name}: ${share}`).join(', '),
    expected: 'whole percentages that sum to 100',
    fix: 'Correct them.',
  }));
  findings.demand(new Set(arms.map(({ name }) => name)).size === arms.length, () => ({
    code: 'version-twice',
    message: `${prop} has a version twice`,
    found: arms.map(({ name }) => name).join(', '),
    fix: 'Give each its own version.',
  }));
}
