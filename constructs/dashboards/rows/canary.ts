import {
  errorRatio,
  isNoQuery,
  latencyQuantile,
  meanLatency,
  type NoQuery,
  populationStability,
  type Query,
  type QueryScope,
  recordedSeries,
  requestRate,
} from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** The two sides of a rollout side by side, and how far apart they are. Rollouts mark their steps on every panel. */
export function canaryRow(scope: DashboardScope, window: string): Row {
  const { profile } = scope;
  const arm = (version: '$canary' | '$baseline'): QueryScope => scope.server([], { version: { variable: version } });
  const [canary, baseline] = [arm('$canary'), arm('$baseline')];
  const between = (of: (scope: QueryScope) => Query | NoQuery, operator: '-' | '/'): Query | NoQuery => {
    const [one, other] = [of(canary), of(baseline)];
    if (isNoQuery(one)) return one;
    if (isNoQuery(other)) return other;
    return {
      ...one,
      unit: operator === '/' ? 'number' : one.unit,
      expr: operator === '-' ? `(${one.expr}) - (${other.expr})` : `(${one.expr}) / ((${other.expr}) > 0)`,
    };
  };
  const p95 = (asked: QueryScope) => latencyQuantile(profile, 0.95, asked);
  const rate = (asked: QueryScope) => requestRate(profile, asked);
  const share = between(rate, '/');
  const shares = recordedSeries('predictionShare', window);
  return {
    title: 'Canary and baseline',
    panels: [
      ...scope.panel(
        { title: 'Requests of both sides', description: 'The weight of the canary as it reaches the pods.' },
        [rate(canary), 'canary'],
        [rate(baseline), 'baseline'],
      ),
      ...scope.panel({ title: 'Canary requests per baseline request', description: 'A weight of 20 % is 0.25.' }, [
        share,
        'canary / baseline',
      ]),
      ...scope.panel(
        { title: 'Errors of both sides', description: "The share of requests that failed, not by the client's fault." },
        [errorRatio(profile, canary), 'canary'],
        [errorRatio(profile, baseline), 'baseline'],
      ),
      ...scope.panel(
        {
          title: 'Errors: canary minus baseline',
          description: 'Above nought the canary is worse. The analysis of the rollout judges it; this only shows it.',
          signed: true,
        },
        [between((asked) => errorRatio(profile, asked), '-'), 'difference'],
      ),
      ...scope.panel(
        { title: 'Latency of both sides', description: '95 % of requests are as fast as this.' },
        [p95(canary), 'canary p95'],
        [p95(baseline), 'baseline p95'],
      ),
      ...scope.panel(
        {
          title: 'Latency p95: canary over baseline',
          description: 'Above 1 the canary is slower.',
          bounds: [1.1, 1.5],
        },
        [between(p95, '/'), 'ratio'],
      ),
      ...scope.panel({ title: 'Mean latency: canary over baseline', description: 'Above 1 the canary is slower.' }, [
        between((asked) => meanLatency(profile, asked), '/'),
        'ratio',
      ]),
      ...(profile.name === 'sluice'
        ? [
            {
              title: 'Predictions: canary against baseline (PSI)',
              description: `How differently the two versions answer: population stability index of the outputs of the last ${window}. They see different requests; much above 0.1 is more than that.`,
              unit: 'number' as const,
              source: 'rule' as const,
              bounds: [0.1, 0.2] as const,
              queries: [
                {
                  expr: populationStability({
                    now: `${shares}${scope.recorded('$canary')}`,
                    reference: `${shares}${scope.recorded('$baseline')}`,
                    by: ['model_name', 'output'],
                  }),
                  legend: '{{model_name}} {{output}}',
                },
              ],
            },
          ]
        : []),
    ],
  };
}
