import {
  cacheHitRatio,
  meanBatchRows,
  meanQueueTime,
  modelGauge,
  queueQuantile,
  requestsInFlight,
  requestsQueued,
} from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** How near a server is to its limits. */
export function capacityRow(scope: DashboardScope): Row {
  const { profile } = scope;
  const version = `{{${scope.label.version}}}`;
  const all = scope.server();
  const ours = profile.name === 'sluice';
  return {
    title: 'Queue, batch and cache',
    panels: [
      ...scope.panel(
        {
          title: 'Time in the queue',
          description:
            'How long requests wait before the model runs. It grows first when a server is short of capacity.',
        },
        [queueQuantile(profile, 0.5, all), 'p50'],
        [queueQuantile(profile, 0.95, all), 'p95'],
        [meanQueueTime(profile, all), 'mean'],
      ),
      ...scope.panel(
        {
          title: 'Rows that run together',
          description: 'The mean batch. One: batching has nothing to join, or is off.',
        },
        [meanBatchRows(profile, scope.server(['version'])), `version ${version}`],
      ),
      ...scope.panel({ title: 'Requests in flight', description: 'Taken and not yet answered, by pod.' }, [
        requestsInFlight(profile, scope.server(['pod'])),
        '{{pod}}',
      ]),
      ...scope.panel(
        { title: 'Requests in the queue', description: 'Waiting now, by pod: what an autoscaler should look at.' },
        [requestsQueued(profile, scope.server(['pod'])), '{{pod}}'],
      ),
      ...(ours
        ? [
            ...scope.panel(
              {
                title: 'Cache hits',
                description: 'The share of requests that the prediction cache answered. No line when it is off.',
              },
              [cacheHitRatio(scope.own(['version'])), `version ${version}`],
            ),
            ...scope.panel({ title: 'Versions ready', description: 'Processes in which a version answers requests.' }, [
              modelGauge('ready', 'sum', scope.own(['version'])),
              `version ${version}`,
            ]),
            ...scope.panel(
              {
                title: 'Time to load',
                description: 'From the start of loading to ready, the slowest process. Startup probes must allow it.',
              },
              [modelGauge('loadSeconds', 'max', scope.own(['version'])), `version ${version}`],
            ),
          ]
        : []),
    ],
  };
}
