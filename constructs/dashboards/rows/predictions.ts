import { classShare, modelGauge, outputQuantile, recordedSeries } from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Panel, Row } from '../panel.ts';

/** What the model answers, and whether that or its inputs have drifted. */
export function predictionsRow(scope: DashboardScope, window: string): Row {
  const where = scope.recorded();
  const recorded: readonly Panel[] = [
    {
      title: 'Prediction drift (PSI)',
      description:
        'Population stability index of each output against its reference, as the rules record it. Above 0.1 it shifts, above 0.2 it has drifted. No line until there is a reference.',
      unit: 'number',
      source: 'rule',
      bounds: [0.1, 0.2],
      queries: [
        {
          expr: `${recordedSeries('predictionPsi', window)}${where}`,
          legend: '{{output}} of version {{model_version}}',
        },
      ],
    },
    {
      title: 'Prediction drift (KL)',
      description: 'Kullback-Leibler divergence of each output from its reference, in nats, as the rules record it.',
      unit: 'nats',
      source: 'rule',
      queries: [
        {
          expr: `${recordedSeries('predictionKl', window)}${where}`,
          legend: '{{output}} of version {{model_version}}',
        },
      ],
    },
  ];
  const ours = scope.profile.name === 'sluice';
  return {
    title: 'Predictions, drift and accuracy',
    panels: [
      ...(ours
        ? [
            ...scope.panel(
              {
                title: 'Predicted values',
                description: 'A tenth, half and nine tenths of the values of each output are below these.',
              },
              [outputQuantile(0.1, scope.own()), '{{output}} p10'],
              [outputQuantile(0.5, scope.own()), '{{output}} p50'],
              [outputQuantile(0.9, scope.own()), '{{output}} p90'],
            ),
            ...scope.panel(
              {
                title: 'Predictions by class',
                description: 'The share of answers that gave each class.',
                stacked: true,
              },
              [classShare(scope.own()), '{{output}}: {{class}}'],
            ),
            ...recorded,
          ]
        : []),
      ...scope.panel(
        {
          title: 'Input drift (PSI)',
          description:
            'Population stability index of each feature, as the drift check found it. Above 0.1 it shifts, above 0.2 it has drifted.',
          source: 'job',
          bounds: [0.1, 0.2],
        },
        [modelGauge('featurePsi', 'max', scope.job([{ label: 'feature' }])), '{{feature}}'],
      ),
      ...scope.panel(
        {
          title: 'Input drift (KL)',
          description: 'Kullback-Leibler divergence of each feature in nats, as the drift check found it.',
          source: 'job',
        },
        [modelGauge('featureKl', 'max', scope.job([{ label: 'feature' }])), '{{feature}}'],
      ),
      ...scope.panel(
        {
          title: 'Accuracy',
          description: 'As the release measured it, or as later labels show.',
          source: ours ? 'server' : 'job',
        },
        [
          modelGauge('accuracy', 'avg', withoutVersion(ours ? scope.own(['model']) : scope.job(['model']))),
          '{{model_name}}',
        ],
      ),
    ],
  };
}

/** Accuracy is told by model. */
function withoutVersion(scope: ReturnType<DashboardScope['own']>): ReturnType<DashboardScope['own']> {
  const { version: _, ...selector } = scope.selector ?? {};
  return { ...scope, selector };
}
