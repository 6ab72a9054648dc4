import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type InferenceServiceSpec, inferenceService, type KservePredictor } from '../crd/kserve.ts';
import { checkLabels, checkServiceName, type Identity, labelsOf } from '../labels.ts';
import { imageProblems } from '../pod/image.ts';
import { containerSecurity } from '../pod/security.ts';
import { Findings } from '../problem.ts';
import { type ContainerSize, guaranteed } from './container-resources.ts';
import type { ModelIdentity } from './serving-props.ts';

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

export type KserveInferenceServiceProps = KservePredictorProps & {
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
};

/** A KServe InferenceService, with a canary in either of its two ways; `traffic` is what to write into the policy. */
export class KserveInferenceService extends Construct {
  readonly workload: CustomResource<InferenceServiceSpec>;
  readonly identity: Identity;
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
    this.identity = {
      name: 'kserve',
      instance: id,
      component: 'model-server',
      partOf: model.name,
      model: model.name,
      modelVersion: model.version,
    };
    const labels = labelsOf(this.identity);
    const minReplicas = props.minReplicas ?? 2;
    const maxReplicas = props.maxReplicas ?? Math.max(1, minReplicas * 4);
    const findings = new Findings(this, 'KserveInferenceService');
    checkServiceName(id, findings);
    checkLabels(labels, findings);
    check(props, minReplicas, maxReplicas, findings);
    findings.throwIfAny();

    const canaries = deployment.mode === 'standard' ? (deployment.canaries ?? []) : [];
    const predictor: KservePredictor = {
      minReplicas,
      maxReplicas,
      scaleMetric: props.scale?.metric,
      scaleTarget: props.scale?.target,
      timeout: props.timeoutSeconds ?? 60,
      serviceAccountName: props.serviceAccount,
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
                        ...predictorOf(model.name, canary),
                      },
                    })),
            },
    });
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

function predictorOf(
  name: string,
  { run, ...size }: KservePredictorProps,
): Pick<KservePredictor, 'model' | 'containers'> {
  const resources = guaranteed(size);
  if ('image' in run) {
    return {
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

function check(
  { model, deployment, run, scale }: KserveInferenceServiceProps,
  minReplicas: number,
  maxReplicas: number,
  findings: Findings,
): void {
  const percent = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 100;
  if ('image' in run) findings.add(...imageProblems(run.image, 'run.image'));
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
  for (const { version, trafficPercent, minReplicas: least = 1, run: canaryRun } of canaries) {
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
    if ('image' in canaryRun) findings.add(...imageProblems(canaryRun.image, `run.image of canary ${version}`));
  }
  const sum = canaries.reduce((all, { trafficPercent }) => all + trafficPercent, 0);
  findings.demand(sum <= 100, () => ({
    code: 'weights-over-100',
    message: `the canaries' trafficPercent sum to ${sum}`,
    expected: 'at most 100',
    fix: 'Lower them.',
  }));
}
