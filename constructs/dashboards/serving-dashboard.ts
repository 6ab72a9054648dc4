import {
  type ServingProfile,
  type ServingProfileName,
  servingProfiles,
  targetLabels,
} from '../../core/telemetry/index.ts';
import { DashboardScope } from './dashboard-scope.ts';
import { type DashboardJson, grafanaDashboard } from './grafana.ts';
import type { DashboardContent, Row, Variable } from './panel.ts';
import { canaryRow } from './rows/canary.ts';
import { capacityRow } from './rows/capacity.ts';
import { episodesRow } from './rows/episodes.ts';
import { predictionsRow } from './rows/predictions.ts';
import { gpuRow, podRow } from './rows/resources.ts';
import { tokensRow } from './rows/tokens.ts';
import { trafficRow } from './rows/traffic.ts';

export interface ServingDashboardOptions {
  /** Which server's metrics: a name of `servingProfiles`. */
  readonly profile: ServingProfileName;
  /** @default 'Sluice / <server>' */
  readonly title?: string;
  /** At most 40 letters, digits, `-` and `_`. @default 'sluice-<profile>' */
  readonly uid?: string;
  /** Seconds: the service level on latency. @default 0.25 */
  readonly latencyThreshold?: number;
  /** The window the rules record drift over; as `drift.window` of `servingRules`. @default '1h' */
  readonly driftWindow?: string;
  /** GPUs, by the DCGM exporter. @default true */
  readonly gpu?: boolean;
  /** Reward and episode length. @default false */
  readonly reward?: boolean;
}

export interface ServingDashboard {
  readonly content: DashboardContent;
  /** For Grafana. */
  readonly json: DashboardJson;
  /** Panels that this server has no series for, and what to do instead. */
  readonly absent: readonly string[];
}

/**
 * The dashboard of a model server, made of what its profile says it exports: no panel is there that this server could never fill. The same
 * options give the same JSON, byte for byte.
 */
export function servingDashboard(options: ServingDashboardOptions): ServingDashboard {
  const { latencyThreshold = 0.25, driftWindow = '1h', gpu = true, reward = false } = options;
  const profile: ServingProfile = servingProfiles[options.profile];
  const scope = new DashboardScope(profile);
  const rows: readonly Row[] = [
    trafficRow(scope, latencyThreshold),
    canaryRow(scope, driftWindow),
    capacityRow(scope),
    ...(profile.tokens === undefined ? [] : [tokensRow(scope)]),
    predictionsRow(scope, driftWindow),
    ...(reward ? [episodesRow(scope)] : []),
    podRow(scope),
    ...(gpu ? [gpuRow(scope)] : []),
  ].filter(({ panels }) => panels.length > 0);
  const content: DashboardContent = {
    uid: options.uid ?? `sluice-${options.profile}`,
    title: options.title ?? `Sluice / ${profile.title}`,
    description: `Requests, rollouts, drift and resources of models served by ${profile.title}. Made by Sluice from the metrics that this server exports.`,
    tags: ['sluice', 'model-serving'],
    variables: variablesOf(profile),
    rows,
  };
  return { content, json: grafanaDashboard(content), absent: scope.absent };
}

/** Each narrows those after it. */
function variablesOf({ labels, requests }: ServingProfile): readonly Variable[] {
  const series = requests[0]?.series ?? '';
  const namespace = labels.namespace ?? targetLabels.namespace;
  const version = labels.version ?? targetLabels.version;
  const chosen: string[] = [];
  const values = (label: string): string =>
    `label_values(${series}${chosen.length === 0 ? '' : `{${chosen.join(',')}}`}, ${label})`;
  const narrowing = (name: string, label: string, title: string, all?: '.+' | '.*'): Variable => {
    const variable = { name, label: title, query: values(label), several: true, ...(all === undefined ? {} : { all }) };
    chosen.push(`${label}=~"$${name}"`);
    return variable;
  };
  const one = (name: string, label: string, title: string): Variable => ({
    name,
    label: title,
    query: values(label),
    several: false,
  });
  return [
    narrowing('namespace', namespace, 'Namespace', '.*'),
    narrowing('job', 'job', 'Job', '.+'),
    narrowing('instance', 'instance', 'Instance', '.+'),
    ...(labels.model === undefined ? [] : [narrowing('model', labels.model, 'Model', '.*')]),
    one('baseline', version, 'Baseline'),
    // Until the reader chooses: the newest version against the oldest there is.
    { ...one('canary', version, 'Canary'), descending: true },
    narrowing('version', version, 'Version', '.*'),
    // Not simply any: the namespace has pods of others.
    narrowing('pod', targetLabels.pod, 'Pod'),
  ];
}
