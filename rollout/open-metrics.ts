import { resolve } from 'node:path';
import type { CanaryMetrics, CanaryTraffic } from '../core/policy/index.ts';
import { InputError } from '../core/problem/index.ts';
import { servingProfiles } from '../core/telemetry/index.ts';
import { excerpt } from '../core/text/index.ts';
import { type AwsCredentialSource, standardCredentials } from './aws/credentials.ts';
import { awsDomain, awsRegion } from './aws/region.ts';
import { awsSigner } from './aws/request-signer.ts';
import { openCloudWatch } from './metrics/cloudwatch.ts';
import { openDatadog } from './metrics/datadog.ts';
import type { ExportedMean } from './metrics/exported-means.ts';
import { type ArmSelector, openPrometheus } from './metrics/prometheus.ts';
import { openProxyMetrics } from './metrics/proxy.ts';
import { openScrape } from './metrics/scrape.ts';
import type { MetricsSource } from './metrics-source.ts';

export interface OpenMetricsOptions {
  readonly traffic: CanaryTraffic;
  /** What paths of the policy are relative to. */
  readonly directory: string;
  /** Of the caller, who may be trusted with a token; wins over the policy's. */
  readonly url?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** PEM. */
  readonly ca?: string;
  /** Of AWS. @default the standard chain of its SDKs */
  readonly credentials?: AwsCredentialSource;
  /** Where the keys of Datadog are. @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Opens the source that the policy names. Throws an `InputError` for what cannot be asked, and for a token that would go to an address which
 * only the policy names: a policy may come from a stranger.
 */
export function openMetrics(metrics: CanaryMetrics, options: OpenMetricsOptions): MetricsSource {
  const { traffic, directory, token, ca } = options;
  const question = {
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(ca === undefined ? {} : { ca }),
  };
  switch (metrics.source) {
    case 'proxy':
      if (traffic.provider !== 'local') throw new TypeError('only a local proxy counts for itself');
      return openProxyMetrics({ state: resolve(directory, traffic.state), stateName: traffic.state });
    case 'scrape': {
      if (token !== undefined) throw tokenForPolicy(metrics.canary.targets[0] ?? '');
      const arm = ({ targets, version, labels }: typeof metrics.canary) => ({
        targets: targets.map((target) => ({ url: new URL(target) })),
        model: metrics.model,
        version,
        labels,
      });
      return openScrape({
        profile: servingProfiles[metrics.server],
        canary: arm(metrics.canary),
        baseline: arm(metrics.baseline),
        ...question,
      });
    }
    case 'prometheus':
      return openPrometheus({
        url: prometheusUrl(metrics.url, options),
        profile: servingProfiles[metrics.server],
        model: metrics.model,
        canary: selectorOf(metrics.canary, traffic, 'canary'),
        baseline: selectorOf(metrics.baseline, traffic, 'baseline'),
        means: (metrics.means ?? []).map(meanOf),
        ...question,
        ...signature(metrics, options),
      });
    case 'cloudwatch':
      return openCloudWatch({
        region: awsRegion(metrics.region ?? (traffic.provider === 'sagemaker' ? traffic.region : undefined)),
        credentials: options.credentials ?? standardCredentials(),
        endpointName: metrics.endpoint ?? (traffic.provider === 'sagemaker' ? traffic.endpoint : ''),
        canary: fleetOf(metrics, traffic, 'canary'),
        baseline: fleetOf(metrics, traffic, 'baseline'),
        edgesMs: metrics.latency_edges_ms,
      });
    case 'datadog': {
      const { DD_API_KEY: apiKey = '', DD_APP_KEY: applicationKey = '' } = options.environment ?? process.env;
      const { site, requests, errors, latency, canary, baseline, latency_edges_ms: edgesMs } = metrics;
      return openDatadog({
        site,
        apiKey,
        applicationKey,
        requests,
        errors,
        latency,
        canary: canary.tags,
        baseline: baseline.tags,
        edgesMs,
      });
    }
  }
}

function meanOf({ name, sum, count, canary, baseline }: PolicyMean): ExportedMean {
  return { name, sum, count, ...(canary && { canary }), ...(baseline && { baseline }) };
}

type PolicyMean = NonNullable<Extract<CanaryMetrics, { source: 'prometheus' }>['means']>[number];

/** What signs the questions to Managed Prometheus: only for AWS's own address, and for one that the caller names. */
function signature(
  { sigv4, url: ofPolicy }: Extract<CanaryMetrics, { source: 'prometheus' }>,
  { url, token, credentials = standardCredentials() }: OpenMetricsOptions,
): { readonly sign?: ReturnType<typeof awsSigner> } {
  if (sigv4 === undefined) return {};
  const { region, service } = sigv4;
  if (token !== undefined) {
    throw new InputError({
      code: 'two-credentials',
      message: 'requests cannot be signed and have a token, too',
      place: { key: 'canary.metrics.sigv4' },
      fix: 'Leave the token (metrics-token) out, or sigv4.',
    });
  }
  const own = `aps-workspaces.${region}.${awsDomain(region)}`;
  if (url === undefined && (ofPolicy === undefined || new URL(ofPolicy).host !== own))
    throw tokenForPolicy(ofPolicy ?? '');
  return { sign: awsSigner({ region, service, credentials }) };
}

/** The metrics of an arm: what the policy says, else what the traffic is between. */
function fleetOf(
  metrics: Extract<CanaryMetrics, { source: 'cloudwatch' }>,
  traffic: CanaryTraffic,
  arm: 'canary' | 'baseline',
): { readonly variant: string; readonly endpointConfig?: string | undefined } {
  const { variant, endpoint_config: endpointConfig } = metrics[arm] ?? {};
  if (traffic.provider !== 'sagemaker') return { variant: variant ?? '', endpointConfig };
  return traffic.mode === 'variant-weights'
    ? { variant: variant ?? traffic[arm], endpointConfig }
    : { variant: variant ?? '', endpointConfig: endpointConfig ?? traffic[arm] };
}

function prometheusUrl(ofPolicy: string | undefined, { url, token }: OpenMetricsOptions): URL {
  const given = url ?? ofPolicy;
  if (given === undefined) {
    throw new InputError({
      code: 'no-metrics-url',
      message: 'nothing says where Prometheus is',
      fix: 'Give --metrics-url (the input "metrics-url"), or "canary.metrics.url" in the policy.',
    });
  }
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new InputError({
      code: 'bad-metrics-url',
      message: 'the address of the metrics is none',
      found: `"${excerpt(given)}"`,
      expected: 'an http or https address',
      fix: 'Write it as http://prometheus:9090.',
    });
  }
  if (token !== undefined && url === undefined) throw tokenForPolicy(given);
  return new URL(given);
}

function tokenForPolicy(url: string): InputError {
  return new InputError({
    code: 'token-for-policy-url',
    message: 'the token would go to an address that only the policy names',
    found: excerpt(url),
    fix: 'Say where the token may go by --metrics-url (the input "metrics-url").',
  });
}

/** What the policy says of an arm; without that, its name in the traffic is its version. */
function selectorOf(
  given: ArmSelectorPolicy | undefined,
  traffic: CanaryTraffic,
  arm: 'canary' | 'baseline',
): ArmSelector {
  if (given !== undefined) {
    const { version, namespace, pod_prefix: podPrefix, labels } = given;
    return { version, namespace, podPrefix, labels };
  }
  const names: { readonly canary?: string | undefined; readonly baseline?: string } = traffic;
  const version = traffic.provider === 'local' ? undefined : names[arm];
  if (version !== undefined) return { version };
  throw new InputError({
    code: 'no-arm',
    message: `nothing says which series are the ${arm}'s`,
    place: { key: `canary.metrics.${arm}` },
    fix: `Add "${arm}: { version: v1 }", or pod_prefix or labels, under canary.metrics.`,
  });
}

type ArmSelectorPolicy = NonNullable<Extract<CanaryMetrics, { source: 'prometheus' }>['canary']>;
