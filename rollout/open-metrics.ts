import { resolve } from 'node:path';
import type { CanaryMetrics, CanaryTraffic } from '../core/policy/index.ts';
import { InputError } from '../core/problem/index.ts';
import { servingProfiles } from '../core/telemetry/index.ts';
import { excerpt } from '../core/text/index.ts';
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
      return openProxyMetrics({ state: resolve(directory, traffic.state) });
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
        ...question,
      });
  }
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
