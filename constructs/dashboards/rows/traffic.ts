import { errorRatio, latencyQuantile, meanLatency, requestRate, shareWithin } from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** Requests, errors, latency. */
export function trafficRow(scope: DashboardScope, threshold: number): Row {
  const { profile } = scope;
  const version = `{{${scope.label.version}}}`;
  const all = scope.server();
  const perVersion = scope.server(['version']);
  return {
    title: 'Requests',
    panels: [
      ...scope.panel(
        { title: 'Request rate', description: 'Requests a second by version, failed ones too.', stacked: true },
        [requestRate(profile, perVersion), `version ${version}`],
      ),
      ...scope.panel(
        {
          title: 'Error rate',
          description:
            "The share of requests that failed, not by the client's fault. No line where there are no requests.",
          bounds: [0.001, 0.01],
        },
        [errorRatio(profile, perVersion), `version ${version}`],
        [errorRatio(profile, scope.server([], {}), { scope: 'server' }), 'whole server'],
      ),
      ...scope.panel(
        {
          title: 'Errors by kind',
          description:
            'Shares of all requests: bad requests, failures of the server, and failures of which it does not say whose they are.',
        },
        [errorRatio(profile, all, { faults: ['client'] }), 'client'],
        [errorRatio(profile, all, { faults: ['server'] }), 'server'],
        [errorRatio(profile, all, { faults: ['unclear'] }), 'unclear'],
      ),
      ...scope.panel(
        {
          title: 'Latency',
          description: 'Half, 95 % and 99 % of requests are as fast as this; interpolated inside a bucket.',
        },
        [latencyQuantile(profile, 0.5, all), 'p50'],
        [latencyQuantile(profile, 0.95, all), 'p95'],
        [latencyQuantile(profile, 0.99, all), 'p99'],
      ),
      ...scope.panel(
        { title: 'Latency p95 by version', description: '95 % of requests of a version are as fast as this.' },
        [latencyQuantile(profile, 0.95, perVersion), `version ${version}`],
      ),
      ...scope.panel({ title: 'Mean latency', description: 'Seconds of all requests, divided by their number.' }, [
        meanLatency(profile, perVersion),
        `version ${version}`,
      ]),
      ...scope.panel(
        { title: `Requests within ${threshold} s`, description: 'The share that the service level on latency counts.' },
        [shareWithin(profile, threshold, perVersion), `version ${version}`],
      ),
    ],
  };
}
