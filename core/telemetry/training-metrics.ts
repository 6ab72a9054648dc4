import type { CloudWatchMetric } from './cloudwatch-metric.ts';

/** `Training`: the name of the `SpotTraining`. */
const ofTraining = {
  namespace: 'Sluice/Training',
  dimensions: ['Training'],
  statistics: ['Sum', 'Average', 'Maximum'],
} as const;

/** What a training run cost, all its jobs together, published when it ends. SageMaker tells both times and no price: cost is billable time by the price that was given. */
export const trainingMetrics = {
  trained: { ...ofTraining, unit: 'Seconds', name: 'TrainingSeconds', help: 'Time the job trained, by all instances.' },
  billed: { ...ofTraining, unit: 'Seconds', name: 'BillableSeconds', help: 'Time that is paid for, by all instances.' },
  cost: { ...ofTraining, unit: 'None', name: 'TrainingCost', help: 'US dollars the job cost.' },
  saved: {
    ...ofTraining,
    unit: 'None',
    name: 'TrainingCostSaved',
    help: 'US dollars that the same time on demand would have cost beyond that.',
  },
  savings: {
    ...ofTraining,
    unit: 'Percent',
    name: 'SpotSavings',
    help: 'Time that is not paid for, of the time trained: 100 * (1 - BillableSeconds / TrainingSeconds).',
  },
  attempts: { ...ofTraining, unit: 'Count', name: 'TrainingAttempts', help: 'Jobs that were started for the run.' },
  interruptions: {
    ...ofTraining,
    unit: 'Count',
    name: 'SpotInterruptions',
    help: 'Times that spot capacity was taken away from the run.',
  },
  ended: { ...ofTraining, unit: 'Count', name: 'TrainingEnded', help: '1 for a run that gave a model.' },
  failed: { ...ofTraining, unit: 'Count', name: 'TrainingFailed', help: '1 for a run that gave none.' },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
