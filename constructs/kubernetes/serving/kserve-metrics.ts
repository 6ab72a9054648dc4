import type { ConstructProblem } from '../problem.ts';
import type { KserveRuntime } from './kserve-inference-service.ts';
import type { MetricsEndpoint } from './server-program.ts';
import { type ToldMetrics, toldEndpoint } from './told-metrics.ts';

/** The container that serves, in the pods of every predictor, with Knative's proxy beside it or not. */
const container = 'kserve-container';

const python: MetricsEndpoint = { port: 8080, container, path: '/metrics', profile: 'kserve' };
/** On a port of its own: 8080, which KServe's annotation of this runtime says, is where MLServer answers requests since 1.1. */
const mlserver: MetricsEndpoint = { port: 8082, container, path: '/metrics', profile: 'mlserver' };
const triton: MetricsEndpoint = { port: 8002, container, path: '/metrics', profile: 'triton' };

/** KServe's own runtimes by name (config/runtimes, 0.20). */
const ofRuntime: Readonly<Record<string, MetricsEndpoint>> = {
  'kserve-sklearnserver': python,
  'kserve-xgbserver': python,
  'kserve-lgbserver': python,
  'kserve-predictiveserver': python,
  'kserve-mlserver': mlserver,
  'kserve-tritonserver': triton,
};

/**
 * The runtime that KServe chooses of its own: one that takes the protocol and, where one is asked for, the version of the format; of several the
 * one with the highest priority (pkg/apis/serving/v1beta1/predictor_model.go, 0.20). That is MLServer for version 2 of the protocol, and KServe's
 * Python servers for version 1.
 */
const chosen: readonly {
  readonly formats: readonly string[];
  readonly protocol: 'v1' | 'v2';
  readonly versions: readonly string[];
  readonly endpoint: MetricsEndpoint;
}[] = [
  { formats: ['sklearn'], protocol: 'v2', versions: ['0', '1'], endpoint: mlserver },
  { formats: ['xgboost', 'mlflow'], protocol: 'v2', versions: ['1', '2'], endpoint: mlserver },
  { formats: ['lightgbm'], protocol: 'v2', versions: ['3', '4'], endpoint: mlserver },
  { formats: ['sklearn'], protocol: 'v1', versions: ['1'], endpoint: python },
  { formats: ['xgboost'], protocol: 'v1', versions: ['2'], endpoint: python },
  { formats: ['lightgbm'], protocol: 'v1', versions: ['4'], endpoint: python },
  { formats: ['onnx'], protocol: 'v2', versions: ['1'], endpoint: triton },
  { formats: ['tensorflow'], protocol: 'v2', versions: ['1', '2'], endpoint: triton },
  { formats: ['triton'], protocol: 'v2', versions: ['2'], endpoint: triton },
];

/**
 * Where a predictor tells its metrics, `undefined` where nobody can say: a server of one's own; TorchServe, which the model's own
 * config.properties tells where and whether; TensorFlow Serving, which has none without a file that KServe does not give it; the Hugging Face
 * server, which runs vLLM or not as the model allows; and any runtime of the cluster's own.
 */
function endpointOf(run: KserveRuntime): MetricsEndpoint | undefined {
  if ('image' in run) return undefined;
  const { format, formatVersion, runtime, protocol = 'v2' } = run;
  if (runtime !== undefined) return Object.hasOwn(ofRuntime, runtime) ? ofRuntime[runtime] : undefined;
  return chosen.find(
    (each) =>
      each.formats.includes(format) &&
      each.protocol === protocol &&
      (formatVersion === undefined || each.versions.includes(formatVersion)),
  )?.endpoint;
}

/** The one endpoint of all predictors of an InferenceService, or why there is none. */
export function kserveMetrics(
  runs: readonly KserveRuntime[],
  told: ToldMetrics | undefined,
): { readonly metrics: MetricsEndpoint } | { readonly withoutMetrics: ConstructProblem } {
  if (told !== undefined) return { metrics: toldEndpoint(container, told) };
  const [first, ...others] = runs.map(endpointOf);
  const unknown = runs.find((run) => endpointOf(run) === undefined);
  if (first === undefined || unknown !== undefined) {
    const server = unknown === undefined ? 'the predictor' : serverOf(unknown);
    return {
      withoutMetrics: {
        code: 'unknown-metrics',
        message: `where ${server} tells its metrics, and what they mean, cannot be known`,
        fix: "Set metrics of the KserveInferenceService: { port: 8080, profile: 'kserve' } for a server made with KServe's Python library.",
      },
    };
  }
  if (others.some((each) => each !== first)) {
    return {
      withoutMetrics: {
        code: 'mixed-profiles',
        message: 'the predictors are different servers, whose series have different names',
        found: runs.map(serverOf).join(', '),
        fix: 'Run the canary on the model\'s server, or monitor the gateway in front of them (profile "istio").',
      },
    };
  }
  return { metrics: first };
}

function serverOf(run: KserveRuntime): string {
  if ('image' in run) return `the image ${run.image}`;
  const { format, formatVersion, runtime, protocol = 'v2' } = run;
  if (runtime !== undefined) return `the runtime ${runtime}`;
  return `KServe's server for ${format}${formatVersion === undefined ? '' : ` ${formatVersion}`} over ${protocol}`;
}
