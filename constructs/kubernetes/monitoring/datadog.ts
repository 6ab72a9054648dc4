import { qualityMetrics, type ServingProfile, servingMetrics, servingProfiles } from '../../../core/telemetry/index.ts';
import { type Labels, labelNames } from '../labels.ts';
import type { MonitoredServer } from './monitored-server.ts';

export interface DatadogOptions {
  /** Name of the pod's container that shows the metrics. @default 'server' */
  readonly container?: string;
  /** Put before every metric's name. @default 'sluice' */
  readonly namespace?: string;
  /** The version of the model: tells a canary from its baseline. @default none */
  readonly modelVersion?: string;
}

/**
 * Annotations that have Datadog's agent read the same metrics that Prometheus would: for `podAnnotations` of a serving construct.
 * https://docs.datadoghq.com/containers/kubernetes/prometheus/ (OpenMetrics check, version 2). `undefined` for a server without metrics.
 */
export function datadogAnnotations(
  { metrics }: Pick<MonitoredServer, 'metrics'>,
  { container = 'server', namespace = 'sluice', modelVersion }: DatadogOptions = {},
): Labels | undefined {
  if (metrics === undefined) return undefined;
  const names = metrics.profile === undefined ? ['.+'] : namesOf(servingProfiles[metrics.profile]);
  const instance = {
    openmetrics_endpoint: `http://%%host%%:${typeof metrics.port === 'number' ? metrics.port : `%%port_${metrics.port}%%`}${metrics.path}`,
    namespace,
    // The check drops _total from a counter's name before it looks.
    metrics: names.map((name) => (name === '.+' ? name : `^${name.replace(/_total$/, '')}(_total)?$`)),
    histogram_buckets_as_distributions: true,
    collect_histogram_buckets: true,
    ...(modelVersion === undefined
      ? {}
      : { tags: [`${labelNames.modelVersion.replace(/[./-]/g, '_')}:${modelVersion}`] }),
  };
  return {
    [`ad.datadoghq.com/${container}.checks`]: JSON.stringify({
      openmetrics: { init_config: {}, instances: [instance] },
    }),
  };
}

/** Every series that rules and dashboards read of a server, each once. */
function namesOf(profile: ServingProfile): readonly string[] {
  if (profile.name === 'sluice')
    return [...Object.values(servingMetrics), ...Object.values(qualityMetrics)].map(({ name }) => name);
  const {
    requests,
    outcomes = [],
    serverOutcomes = [],
    latency,
    queue,
    batch,
    inFlight,
    queued,
    tokens,
    gpu,
  } = profile;
  const measured = [
    ...latency,
    ...[queue, batch, tokens?.timeToFirst, tokens?.between].filter((each) => each !== undefined),
  ].flatMap((each) => (each.kind === 'total' ? [each.sum, each.count] : [each.series]));
  const levels = [inFlight, queued, tokens?.cacheUsed, gpu?.utilization, gpu?.memoryUsed, gpu?.memoryTotal]
    .filter((each) => each !== undefined)
    .map(({ series }) => series);
  const counters = [...requests, ...outcomes, ...serverOutcomes].map(({ series }) => series);
  const counted = tokens === undefined ? [] : [tokens.prompt, tokens.generated];
  return [...new Set([...counters, ...counted, ...measured, ...levels])];
}
