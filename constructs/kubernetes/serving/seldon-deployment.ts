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
import { Findings } from '../problem.ts';
import { type ContainerSize, guaranteed, placementOf } from './container-resources.ts';
import { ControlledPods, type PodAccess } from './controlled-pods.ts';
import { defaultClients, defaultScrapers } from './peers.ts';
import type { ModelIdentity } from './serving-props.ts';

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
  /** A Secret with what is needed to read the models. */
  readonly envSecret?: string;
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

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: SeldonDeploymentProps) {
    super(scope, id);
    const { predictors, implementation = 'TRITON_SERVER', model, envSecret } = props;
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
    this.workload = new CustomResource(this, 'seldon-deployment', seldonDeployment, {
      metadata: { name: id, labels: labelsOf(this.identity) },
      spec: {
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
                containers: [{ name: model, resources: guaranteed(size), securityContext: seldonSecurity }],
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

/** Seldon's executor answers on 8000 and 5001, and tells its metrics on 8000; those of the server beside it are on 6000. */
function accessOf({
  predictors,
  clients = defaultClients,
  scrapers = defaultScrapers,
  egress = [],
}: SeldonDeploymentProps): Pick<NetworkPolicyBody['spec'], 'ingress' | 'egress'> {
  const ports = (...numbers: readonly number[]) => numbers.map((port) => ({ port, protocol: 'TCP' as const }));
  const fetches = predictors.some(({ modelUri }) => !modelUri.startsWith('pvc:'));
  return {
    ingress: [
      { from: clients, ports: ports(8000, 5001) },
      { from: scrapers, ports: ports(8000, 6000) },
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
 * Server that other models share, so who reaches those pods and how many may be evicted is that Server's, and the platform's, to say.
 */
export class SeldonExperiment extends Construct {
  readonly models: readonly CustomResource<SeldonModelSpec>[];
  readonly experiment: CustomResource<SeldonExperimentSpec>;
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

    const labels = (modelVersion?: string) =>
      labelsOf({ name: 'seldon', instance: id, component: 'model-server', partOf: model, model, modelVersion });
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
