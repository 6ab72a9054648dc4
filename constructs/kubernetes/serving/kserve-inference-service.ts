import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type InferenceServiceSpec, inferenceService, type KservePredictor } from '../crd/kserve.ts';
import type { KubernetesObject } from '../kubernetes-object.ts';
import {
  checkLabels,
  checkServiceName,
  type Identity,
  identityFor,
  type Labels,
  labelNames,
  labelsOf,
} from '../labels.ts';
import type { NetworkPeer, NetworkPolicyBody, PodDisruptionBudgetBody } from '../native.ts';
import { gpuProblems } from '../pod/gpu.ts';
import { imageProblems, warnOfImages } from '../pod/image.ts';
import { dnsLookup } from '../pod/model-fetch.ts';
import { containerSecurity } from '../pod/security.ts';
import { spreadOver } from '../pod/spread.ts';
import { type ConstructProblem, Findings } from '../problem.ts';
import { type ContainerSize, guaranteed, placementOf } from './container-resources.ts';
import { ControlledPods, type PodAccess } from './controlled-pods.ts';
import { kserveMetrics } from './kserve-metrics.ts';
import { defaultClients, defaultScrapers } from './peers.ts';
import type { MetricsEndpoint } from './server-program.ts';
import type { ModelIdentity } from './serving-props.ts';
import { type ToldMetrics, toldProblems } from './told-metrics.ts';

/** What KServe runs. */
export type KserveRuntime =
  | {
      /** ONNX runs on Triton: KServe has no ONNX Runtime server any more. */
      readonly format:
        | 'onnx'
        | 'sklearn'
        | 'xgboost'
        | 'lightgbm'
        | 'triton'
        | 'pytorch'
        | 'tensorflow'
        | 'huggingface'
        | 'mlflow';
      readonly formatVersion?: string;
      /** A ServingRuntime by name. @default the one KServe chooses */
      readonly runtime?: string;
      /** `s3://`, `gs://`, `pvc://`, `oci://`, `https://`. */
      readonly storageUri: string;
      /** @default 'v2' */
      readonly protocol?: 'v1' | 'v2';
    }
  | {
      /** A server of your own, on port 8080. */
      readonly image: string;
      /** Take an image without a version. @default false */
      readonly allowMutableImage?: boolean;
      readonly args?: readonly string[];
    };

export type KservePredictorProps = ContainerSize & { readonly run: KserveRuntime };

/** A canary in Standard mode. */
export type KserveCanary = KservePredictorProps & {
  /** Its version, which is also its predictor's name. */
  readonly version: string;
  /** 0 to 100. */
  readonly trafficPercent: number;
  /** @default 1 */
  readonly minReplicas?: number;
};

/** How KServe deploys, and with it how a canary is written. In the other mode its field is ignored without a word (kserve#4074, #5335). */
export type KserveMode =
  | {
      /** Revisions of Knative; the share of the newest one. */
      readonly mode: 'knative';
      /** @default none: the newest revision gets everything */
      readonly canaryTrafficPercent?: number;
    }
  | {
      /** Plain Deployments, KServe 0.20 and later with the Gateway API. */
      readonly mode: 'standard';
      readonly canaries?: readonly KserveCanary[];
    };

/** `clients`: the gateway that requests come through; by default nobody but the pods of the namespace. */
export type KserveInferenceServiceProps = KservePredictorProps &
  PodAccess & {
    readonly model: ModelIdentity;
    readonly deployment: KserveMode;
    /** @default 2; 0 scales to zero, in Knative mode only */
    readonly minReplicas?: number;
    /** @default minReplicas times 4 */
    readonly maxReplicas?: number;
    readonly scale?: { readonly metric: 'cpu' | 'memory' | 'concurrency' | 'rps'; readonly target: number };
    /** With the rights to read the model. */
    readonly serviceAccount?: string;
    /** Seconds a request may take. @default 60 */
    readonly timeoutSeconds?: number;
    /**
     * Where all predictors tell their metrics.
     * @default of KServe's own MLServer, Triton and Python servers; others cannot be monitored without
     */
    readonly metrics?: ToldMetrics;
  };

/**
 * A KServe InferenceService, with a canary in either of its two ways; `traffic` is what to write into the policy. Its pods are KServe's to make: it
 * is told what it takes of the habits. In Standard mode that is all of the pod but the root file system; Knative takes no placement nor security
 * of a pod unless its `config-features` say so.
 *
 * Metrics are read from the server itself, past Knative's proxy, which knows nothing of models. One monitor sees the canary, too.
 */
export class KserveInferenceService extends Construct {
  readonly workload: CustomResource<InferenceServiceSpec>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** Absent where there may be one pod. */
  readonly podDisruptionBudget?: KubernetesObject<PodDisruptionBudgetBody>;
  readonly identity: Identity;
  readonly metrics?: MetricsEndpoint;
  readonly podLabels: Labels;
  readonly withoutMetrics?: ConstructProblem;
  /** For `canary.traffic` in sluice.yaml. */
  readonly traffic: {
    readonly provider: 'kserve';
    readonly namespace: string;
    readonly inferenceService: string;
    readonly mode: 'knative' | 'standard';
    readonly canary?: string;
  };

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: KserveInferenceServiceProps) {
    super(scope, id);
    const { model, deployment } = props;
    this.identity = identityFor(model, { name: 'kserve', instance: id, component: 'model-server' });
    const labels = labelsOf(this.identity);
    const minReplicas = props.minReplicas ?? 2;
    const maxReplicas = props.maxReplicas ?? Math.max(1, minReplicas * 4);
    const findings = new Findings(this, 'KserveInferenceService');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    check(props, minReplicas, maxReplicas, findings);
    findings.add(...toldProblems(props.metrics));
    findings.throwIfAny();
    const canaries = deployment.mode === 'standard' ? (deployment.canaries ?? []) : [];
    const runs = [props, ...canaries].map(({ run }) => run);
    warnOfImages(
      runs.flatMap((run) => ('image' in run ? [run.image] : [])),
      findings,
    );
    // What KServe gives all pods of an InferenceService, whichever predictor they are of (components/predictor.go, 0.20).
    const selector: Labels = { 'serving.kserve.io/inferenceservice': id };
    this.podLabels = selector;
    const told = kserveMetrics(runs, props.metrics);
    if ('metrics' in told) this.metrics = told.metrics;
    else this.withoutMetrics = told.withoutMetrics;
    const predictor: KservePredictor = {
      minReplicas,
      maxReplicas,
      scaleMetric: props.scale?.metric,
      scaleTarget: props.scale?.target,
      timeout: props.timeoutSeconds ?? 60,
      serviceAccountName: props.serviceAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(deployment.mode === 'knative' ? {} : standardPod(selector)),
      ...predictorOf(model.name, props),
    };
    this.workload = new CustomResource(this, 'inference-service', inferenceService, {
      metadata: {
        name: id,
        labels,
        annotations: { 'serving.kserve.io/deploymentMode': deployment.mode === 'knative' ? 'Knative' : 'Standard' },
      },
      spec:
        deployment.mode === 'knative'
          ? { predictor: { ...predictor, canaryTrafficPercent: deployment.canaryTrafficPercent } }
          : {
              predictor: { name: stableName(model.version), ...predictor },
              canary:
                canaries.length === 0
                  ? undefined
                  : canaries.map((canary) => ({
                      trafficPercent: canary.trafficPercent,
                      predictor: {
                        name: stableName(canary.version),
                        minReplicas: canary.minReplicas ?? 1,
                        // Its pods would otherwise say the version of the model they are a canary for.
                        labels: { [labelNames.modelVersion]: canary.version },
                        ...predictorOf(model.name, canary),
                      },
                    })),
            },
    });
    const pods = new ControlledPods(this, 'pods', {
      name: id,
      labels,
      selector,
      access: props.networkPolicy === false ? undefined : accessOf(deployment.mode, runs, props),
      disruption: minReplicas > 1 ? { maxUnavailable: 1 } : undefined,
    });
    if (pods.networkPolicy !== undefined) this.networkPolicy = pods.networkPolicy;
    if (pods.podDisruptionBudget !== undefined) this.podDisruptionBudget = pods.podDisruptionBudget;
    const [only, ...more] = canaries;
    this.traffic = {
      provider: 'kserve',
      namespace: this.workload.metadata.namespace ?? 'default',
      inferenceService: id,
      mode: deployment.mode,
      ...(only === undefined || more.length > 0 ? {} : { canary: stableName(only.version) }),
    };
  }
}

/** A predictor's name is a DNS label: version 3 is `v3`. */
function stableName(version: string): string {
  const label = version.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  return /^[a-z]/.test(label) ? label : `v${label}`;
}

/** What the pods of plain Deployments can be told, and those of Knative cannot. */
function standardPod(selector: Labels): Partial<KservePredictor> {
  return {
    // A pod is added before one is taken, where KServe's default may take a quarter.
    deploymentStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    // Not a user: each runtime has its own.
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: spreadOver(selector),
  };
}

/** The activator and the autoscaler, which both speak to the pods. */
const knativeServing: NetworkPeer = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'knative-serving' } },
};

/**
 * Ports of KServe's runtimes (config/runtimes, 0.20: requests on 8080 and 9000, metrics on 8080, Triton's on 8002, MLServer's and TorchServe's on
 * 8082) and of
 * Knative's proxy beside them (pkg/networking/constants.go, 1.17), through which all requests go there.
 */
function accessOf(
  mode: KserveMode['mode'],
  runs: readonly KserveRuntime[],
  {
    clients = defaultClients,
    scrapers = defaultScrapers,
    egress = [],
    metrics: told,
  }: PodAccess & Pick<KserveInferenceServiceProps, 'metrics'>,
): Pick<NetworkPolicyBody['spec'], 'ingress' | 'egress'> {
  const ports = (...numbers: readonly number[]) => numbers.map((port) => ({ port, protocol: 'TCP' as const }));
  const own = runs.every((run) => 'image' in run);
  const metrics = new Set([...(own ? [8080] : [8080, 8002, 8082]), ...(told === undefined ? [] : [told.port])]);
  const fetches = runs.some((run) => 'storageUri' in run && !/^(?:pvc|oci):/.test(run.storageUri));
  return {
    ingress:
      mode === 'knative'
        ? [
            { from: [...clients, knativeServing], ports: ports(8012, 8013, 8112) },
            { from: [knativeServing], ports: ports(9090) },
            { from: scrapers, ports: ports(9091, ...metrics) },
          ]
        : [
            { from: clients, ports: own ? ports(8080) : ports(8080, 9000) },
            { from: scrapers, ports: ports(...metrics) },
          ],
    egress: [dnsLookup, ...(fetches ? [{ ports: ports(443) }] : []), ...egress],
  };
}

function predictorOf(
  name: string,
  { run, ...size }: KservePredictorProps,
): Pick<KservePredictor, 'model' | 'containers' | 'nodeSelector' | 'affinity' | 'tolerations'> {
  const resources = guaranteed(size);
  const placed = placementOf(size);
  if ('image' in run) {
    return {
      ...placed,
      containers: [
        {
          // KServe looks for the container of this name.
          name: 'kserve-container',
          image: run.image,
          args: run.args,
          ports: [{ name: 'http1', containerPort: 8080, protocol: 'TCP' }],
          resources,
          securityContext: containerSecurity,
        },
      ],
    };
  }
  return {
    ...placed,
    model: {
      name,
      modelFormat: { name: run.format, version: run.formatVersion },
      storageUri: run.storageUri,
      protocolVersion: run.protocol ?? 'v2',
      runtime: run.runtime,
      resources,
    },
  };
}

function runProblems(run: KserveRuntime, prop: string) {
  if (!('image' in run)) return [];
  return imageProblems(run.image, prop, run.allowMutableImage);
}

function check(
  { model, deployment, run, scale, gpu }: KserveInferenceServiceProps,
  minReplicas: number,
  maxReplicas: number,
  findings: Findings,
): void {
  const percent = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 100;
  findings.add(...runProblems(run, 'run.image'));
  if (gpu !== undefined) findings.add(...gpuProblems(gpu));
  if (gpu !== undefined && deployment.mode === 'knative') {
    findings.warn({
      code: 'knative-placement',
      message: 'Knative refuses where a pod shall run unless it is told to take that',
      fix: 'Enable kubernetes.podspec-tolerations, -nodeselector and -affinity in its config-features.',
    });
  }
  findings.demand(minReplicas <= maxReplicas, () => ({
    code: 'bad-replicas',
    message: `minReplicas ${minReplicas} is more than maxReplicas ${maxReplicas}`,
    fix: 'Raise maxReplicas.',
  }));
  if (deployment.mode === 'knative') {
    const share = deployment.canaryTrafficPercent;
    findings.demand(share === undefined || percent(share), () => ({
      code: 'bad-weight',
      message: 'deployment.canaryTrafficPercent is no percentage',
      found: String(share),
      expected: 'a whole number from 0 to 100',
      fix: 'Correct it.',
    }));
    findings.demand(!('canaries' in deployment), () => ({
      code: 'canary-of-other-mode',
      message: 'deployment.canaries is ignored by KServe in Knative mode',
      fix: "Use canaryTrafficPercent, or mode 'standard'.",
    }));
    return;
  }
  findings.demand(!('canaryTrafficPercent' in deployment), () => ({
    code: 'canary-of-other-mode',
    message: 'deployment.canaryTrafficPercent is ignored by KServe in Standard mode',
    fix: "Use canaries, or mode 'knative'.",
  }));
  findings.demand(minReplicas > 0, () => ({
    code: 'no-scale-to-zero',
    message: 'minReplicas 0 needs Knative: in Standard mode nobody wakes the model up',
    fix: "Set minReplicas to 1, or mode 'knative'.",
  }));
  findings.demand(scale === undefined || scale.metric === 'cpu' || scale.metric === 'memory', () => ({
    code: 'metric-of-other-mode',
    message: `scale.metric ${scale?.metric} is measured by Knative only`,
    fix: "Scale on cpu or memory, or set mode 'knative'.",
  }));
  const canaries = deployment.canaries ?? [];
  const names = [model.version, ...canaries.map(({ version }) => version)].map(stableName);
  findings.demand(new Set(names).size === names.length, () => ({
    code: 'version-twice',
    message: 'the versions of the model and its canaries are not all different',
    found: names.join(', '),
    fix: 'Give each its own version.',
  }));
  for (const { version, trafficPercent, minReplicas: least = 1, run: canaryRun, gpu: canaryGpu } of canaries) {
    findings.demand(percent(trafficPercent), () => ({
      code: 'bad-weight',
      message: `trafficPercent of canary ${version} is no percentage`,
      found: String(trafficPercent),
      expected: 'a whole number from 0 to 100',
      fix: 'Correct it.',
    }));
    findings.demand(least <= minReplicas, () => ({
      code: 'canary-too-large',
      message: `minReplicas ${least} of canary ${version} is more than minReplicas ${minReplicas} of the model, which KServe refuses`,
      fix: "Lower the canary's or raise the model's.",
    }));
    findings.add(...runProblems(canaryRun, `run.image of canary ${version}`));
    if (canaryGpu !== undefined) findings.add(...gpuProblems(canaryGpu));
    const needed = Math.ceil((minReplicas * trafficPercent) / 100);
    findings.demand(least >= needed || least > minReplicas, () => ({
      code: 'canary-too-small',
      message: `trafficPercent ${trafficPercent} sends canary ${version} what ${needed} of the model's ${minReplicas} replicas answer, and it has ${least}`,
      fix: `Raise its minReplicas to ${needed}, or lower trafficPercent.`,
    }));
  }
  const sum = canaries.reduce((all, { trafficPercent }) => all + trafficPercent, 0);
  findings.demand(sum <= 100, () => ({
    code: 'weights-over-100',
    message: `the canaries' trafficPercent sum to ${sum}`,
    expected: 'at most 100',
    fix: 'Lower them.',
  }));
}
