import type { ServingRulesOptions } from '../../constructs/dashboards/index.ts';
import { qualityMetrics, resourceSeries, servingMetrics } from '../../core/telemetry/index.ts';
import type { InputSeries } from './promtool-rules.ts';

const { predictions, latency, ready, predictionValue, predictionClass, accuracy } = servingMetrics;
const { featurePsi, driftChecked, episodeReward } = qualityMetrics;

/** What an alert is shown, and whether it must fire. */
export interface AlertCase {
  readonly alert: string;
  /** In what situation: the end of "fires when ..." or of "stays silent when ...". */
  readonly when: string;
  readonly fires: boolean;
  /** Between two values. */
  readonly interval: '1m' | '5m';
  /** Between two evaluations: long stories are told in larger steps. */
  readonly evaluation: '1m' | '5m';
  readonly series: readonly InputSeries[];
  readonly at: string;
}

/** The rules the cases are about: everything on, all bounds as by default. */
export const judged: ServingRulesOptions = {
  profile: 'sluice',
  selector: { model: 'churn', namespace: 'shop' },
  drift: { accuracy: 0.9 },
  gpu: {},
  reward: {},
};

const own = 'namespace="shop",model_name="churn"';
const of = (version: string, pod = 'a', release = version) =>
  `${own},model_version="${version}",pod="${pod}",instance="${pod}:8080",sluice_dev_model_version="${release}"`;

const counted = (status: string, values: string, version = '1'): InputSeries => [
  `${predictions.name}{${of(version)},status="${status}"}`,
  values,
];

/** Requests and how many of them were within 0.25 s, each interval. */
const timed = (all: string, within: string): readonly InputSeries[] => [
  [`${latency.name}_bucket{${of('1')},le="0.25"}`, within],
  [`${latency.name}_count{${of('1')}}`, all],
];

const isReady = (labels: string, values: string): InputSeries => [`${ready.name}{${labels}}`, values];

/** Values of one output: those up to 0.5, and all of them, which are up to 0.9. */
const outputs = (low: string, all: string): readonly InputSeries[] =>
  [...predictionValue.buckets, Number.POSITIVE_INFINITY].map((bound) => [
    `${predictionValue.name}_bucket{${of('1')},output="p",le="${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}"}`,
    bound < 0.5 ? '0x1000' : bound < 0.9 ? low : all,
  ]);
const allOutputs = (values: string): InputSeries => [`${predictionValue.name}_count{${of('1')},output="p"}`, values];

const classes = (each: Readonly<Record<string, string>>): readonly InputSeries[] =>
  Object.entries(each).map(([name, values]) => [
    `${predictionClass.name}{${of('1')},output="label",class="${name}"}`,
    values,
  ]);

const gpu = 'namespace="shop",pod="a",Hostname="node-1",gpu="0"';
const guard = 'namespace="shop",job_name="sluice-guard-churn-0a1b2c3d"';
const guarded = (name: 'guardActive' | 'guardStarted' | 'guardFailed', values: string, more = ''): InputSeries => [
  `${resourceSeries[name].series}{${guard}${more}}`,
  values,
];

type Situation = Omit<AlertCase, 'alert' | 'fires'>;

function cases(alert: string, fires: readonly Situation[], silent: readonly Situation[]): readonly AlertCase[] {
  return [
    ...fires.map((each) => ({ ...each, alert, fires: true })),
    ...silent.map((each) => ({ ...each, alert, fires: false })),
  ];
}

const minutes = { interval: '1m', evaluation: '1m' } as const;
const days = { interval: '1m', evaluation: '5m' } as const;
const fives = { interval: '5m', evaluation: '5m' } as const;

export const alertCases: readonly AlertCase[] = [
  ...cases(
    'ModelErrorsBurnFast',
    [
      {
        ...minutes,
        when: '3 % of requests fail for an hour',
        series: [counted('ok', '0+97x90'), counted('error', '0+3x90')],
        at: '70m',
      },
    ],
    [
      { ...minutes, when: '1 % fail', series: [counted('ok', '0+99x90'), counted('error', '0+1x90')], at: '70m' },
      {
        ...minutes,
        when: 'the errors have ended',
        series: [counted('ok', '0+97x90'), counted('error', '0+9x30 270x60')],
        at: '45m',
      },
      {
        ...minutes,
        when: 'all of six requests an hour fail',
        series: [counted('ok', '0x90'), counted('error', '0x9 1x9 2x9 3x9 4x9 5x9 6x30')],
        at: '70m',
      },
      {
        ...minutes,
        when: "the requests are wrong, which is the clients' fault",
        series: [counted('ok', '0+50x90'), counted('invalid_input', '0+50x90')],
        at: '70m',
      },
    ],
  ),
  ...cases(
    'ModelErrorsBurnSteady',
    [
      {
        ...days,
        when: '0.8 % fail for six hours',
        series: [counted('ok', '0+992x400'), counted('timeout', '0+8x400')],
        at: '370m',
      },
    ],
    [
      {
        ...days,
        when: '0.5 % fail',
        series: [counted('ok', '0+995x400'), counted('timeout', '0+5x400')],
        at: '370m',
      },
    ],
  ),
  ...cases(
    'ModelErrorsBurnSlow',
    [
      {
        ...days,
        when: '0.2 % fail for three days',
        series: [counted('ok', '0+998x4400'), counted('error', '0+2x4400')],
        at: '73h',
      },
    ],
    [{ ...days, when: '0.05 % fail', series: [counted('ok', '0+1999x4400'), counted('error', '0+1x4400')], at: '73h' }],
  ),
  ...cases(
    'ModelLatencyBurnFast',
    [{ ...minutes, when: '20 % take longer than 0.25 s for an hour', series: timed('0+100x90', '0+80x90'), at: '70m' }],
    [
      { ...minutes, when: '10 % do', series: timed('0+100x90', '0+90x90'), at: '70m' },
      { ...minutes, when: 'all are fast', series: timed('0+100x90', '0+100x90'), at: '70m' },
    ],
  ),
  ...cases(
    'ModelLatencyBurnSteady',
    [{ ...days, when: '8 % are slow for six hours', series: timed('0+100x400', '0+92x400'), at: '370m' }],
    [{ ...days, when: '5 % are', series: timed('0+100x400', '0+95x400'), at: '370m' }],
  ),
  ...cases(
    'ModelLatencyBurnSlow',
    [{ ...days, when: '2 % are slow for three days', series: timed('0+100x4400', '0+98x4400'), at: '73h' }],
    [{ ...days, when: '0.5 % are', series: timed('0+1000x4400', '0+995x4400'), at: '73h' }],
  ),
  ...cases(
    'ModelMissing',
    [
      { ...minutes, when: 'no server was ever there', series: [], at: '15m' },
      {
        ...minutes,
        when: 'the only one is of another model',
        series: [isReady('namespace="shop",model_name="other"', '1x20')],
        at: '15m',
      },
    ],
    [
      {
        ...minutes,
        when: 'a server is there, even one that is not ready',
        series: [isReady(of('1'), '0x20')],
        at: '15m',
      },
    ],
  ),
  ...cases(
    'ModelNotReady',
    [
      {
        ...minutes,
        when: 'no version is ready',
        series: [isReady(of('1'), '0x20'), isReady(of('2'), '0x20')],
        at: '10m',
      },
    ],
    [
      {
        ...minutes,
        when: 'one of two versions is',
        series: [isReady(of('1'), '1x20'), isReady(of('2'), '0x20')],
        at: '10m',
      },
      { ...minutes, when: 'it has only just begun to load', series: [isReady(of('1'), '0x20')], at: '4m' },
    ],
  ),
  ...cases(
    'ModelVersionSkew',
    [
      {
        ...minutes,
        when: 'two pods of one release serve different versions',
        series: [isReady(of('1', 'a', 'r1'), '1x30'), isReady(of('2', 'b', 'r1'), '1x30')],
        at: '20m',
      },
    ],
    [
      {
        ...minutes,
        when: 'a canary serves another version than its baseline',
        series: [isReady(of('1', 'a', 'r1'), '1x30'), isReady(of('2', 'b', 'r2'), '1x30')],
        at: '20m',
      },
      {
        ...minutes,
        when: 'every pod serves both versions',
        series: ['a', 'b'].flatMap((pod) => ['1', '2'].map((version) => isReady(of(version, pod, 'r1'), '1x30'))),
        at: '20m',
      },
    ],
  ),
  ...cases(
    'CanaryStale',
    [
      {
        ...fives,
        when: 'two versions have taken requests for a day',
        series: [counted('ok', '0+90x400', '1'), counted('ok', '0+10x400', '2')],
        at: '26h',
      },
    ],
    [
      {
        ...fives,
        when: 'they have for ten hours',
        series: [counted('ok', '0+90x400', '1'), counted('ok', '0+10x400', '2')],
        at: '10h',
      },
      {
        ...fives,
        when: 'the old version only shows what it once counted',
        series: [counted('ok', '90x400', '1'), counted('ok', '0+10x400', '2')],
        at: '26h',
      },
    ],
  ),
  ...cases(
    'CanaryGuardFailed',
    [
      {
        ...minutes,
        when: "the guard's Job failed",
        series: [guarded('guardFailed', '0x5 1x10', ',condition="true"')],
        at: '10m',
      },
    ],
    [
      {
        ...minutes,
        when: 'it has not',
        series: [
          guarded('guardFailed', '0x20', ',condition="true"'),
          guarded('guardFailed', '1x20', ',condition="false"'),
        ],
        at: '10m',
      },
    ],
  ),
  ...cases(
    'CanaryGuardStale',
    [
      {
        ...fives,
        when: 'a guard has run for more than a day',
        series: [guarded('guardActive', '1x400'), guarded('guardStarted', '0x400')],
        at: '25h',
      },
    ],
    [
      {
        ...fives,
        when: 'it has run for an hour',
        series: [guarded('guardActive', '1x400'), guarded('guardStarted', '0x400')],
        at: '1h',
      },
      {
        ...fives,
        when: 'it ended long ago',
        series: [guarded('guardActive', '0x400'), guarded('guardStarted', '0x400')],
        at: '25h',
      },
    ],
  ),
  ...cases(
    'ModelPredictionsDrifted',
    [
      {
        ...fives,
        when: 'nearly all answers were below 0.5 and now are above',
        series: [...outputs('0+900x600 540000+100x100', '0+1000x700'), allOutputs('0+1000x700')],
        at: '52h',
      },
      {
        ...fives,
        when: 'a class appears that was never there',
        series: classes({ yes: '0+500x600 300000x100', no: '0+500x700', maybe: '_x600 0+500x100' }),
        at: '52h',
      },
    ],
    [
      {
        ...fives,
        when: 'they are as they were',
        series: [...outputs('0+900x700', '0+1000x700'), allOutputs('0+1000x700')],
        at: '52h',
      },
      {
        ...fives,
        when: 'there are too few of them to say',
        series: [...outputs('0+9x600 5400+1x100', '0+10x700'), allOutputs('0+10x700')],
        at: '52h',
      },
      {
        ...fives,
        when: 'there is nothing to compare with yet',
        series: [...outputs('0+900x200', '0+1000x200'), allOutputs('0+1000x200')],
        at: '12h',
      },
    ],
  ),
  ...cases(
    'ModelPredictionsShifting',
    [
      {
        ...fives,
        when: 'half of the answers were below 0.5 and two thirds are now',
        series: [...outputs('0+500x600 300000+660x100', '0+1000x700'), allOutputs('0+1000x700')],
        at: '52h',
      },
    ],
    [
      {
        ...fives,
        when: 'it is 55 % now',
        series: [...outputs('0+500x600 300000+550x100', '0+1000x700'), allOutputs('0+1000x700')],
        at: '52h',
      },
    ],
  ),
  ...cases(
    'ModelInputsDrifted',
    [
      {
        ...minutes,
        when: 'the index of a feature is 0.3',
        series: [[`${featurePsi.name}{${of('1')},feature="age"}`, '0.3x30']],
        at: '20m',
      },
    ],
    [
      {
        ...minutes,
        when: 'it is 0.15',
        series: [[`${featurePsi.name}{${of('1')},feature="age"}`, '0.15x30']],
        at: '20m',
      },
    ],
  ),
  ...cases(
    'ModelInputsShifting',
    [
      {
        ...minutes,
        when: 'the index of a feature is 0.15',
        series: [[`${featurePsi.name}{${of('1')},feature="age"}`, '0.15x30']],
        at: '20m',
      },
    ],
    [
      {
        ...minutes,
        when: 'it is 0.05',
        series: [[`${featurePsi.name}{${of('1')},feature="age"}`, '0.05x30']],
        at: '20m',
      },
    ],
  ),
  ...cases(
    'ModelDriftCheckStale',
    [
      {
        ...fives,
        when: 'the check last ran 27 hours ago',
        series: [[`${driftChecked.name}{${of('1')}}`, '0x400']],
        at: '27h',
      },
    ],
    [
      {
        ...fives,
        when: 'it runs every day',
        series: [[`${driftChecked.name}{${of('1')}}`, '0x287 86400x200']],
        at: '27h',
      },
    ],
  ),
  ...cases(
    'ModelAccuracyLow',
    [{ ...minutes, when: 'it is 0.85', series: [[`${accuracy.name}{${own}}`, '0.85x30']], at: '20m' }],
    [{ ...minutes, when: 'it is 0.93', series: [[`${accuracy.name}{${own}}`, '0.93x30']], at: '20m' }],
  ),
  ...cases(
    'ModelRewardDropped',
    [
      {
        ...days,
        when: 'the reward falls by 10 %',
        series: [[`${episodeReward.name}{${of('1')}}`, '100x1500 90x60']],
        at: '1550m',
      },
      {
        ...days,
        when: 'a negative reward falls by 10 %',
        series: [[`${episodeReward.name}{${of('1')}}`, '-100x1500 -110x60']],
        at: '1550m',
      },
    ],
    [
      {
        ...days,
        when: 'it falls by 3 %',
        series: [[`${episodeReward.name}{${of('1')}}`, '100x1500 97x60']],
        at: '1550m',
      },
      {
        ...days,
        when: 'a negative reward rises',
        series: [[`${episodeReward.name}{${of('1')}}`, '-100x1500 -50x60']],
        at: '1550m',
      },
    ],
  ),
  ...cases(
    'GpuMemoryAlmostFull',
    [{ ...minutes, when: '97 % are in use', series: memory('97x30', '3x30'), at: '15m' }],
    [{ ...minutes, when: '90 % are', series: memory('90x30', '10x30'), at: '15m' }],
  ),
  ...cases(
    'GpuSaturated',
    [{ ...minutes, when: 'the load is 99 % for half an hour', series: [load('99x60')], at: '40m' }],
    [
      { ...minutes, when: 'it is 90 %', series: [load('90x60')], at: '40m' },
      { ...minutes, when: 'it is 99 % for ten minutes', series: [load('50x20 99x40')], at: '30m' },
    ],
  ),
  ...cases(
    'GpuBatchCouldGrow',
    [
      {
        ...minutes,
        when: 'the load is 99 % and half of the memory is free',
        series: [load('99x60'), ...memory('50x60', '50x60')],
        at: '40m',
      },
    ],
    [
      {
        ...minutes,
        when: 'the memory is in use, too',
        series: [load('99x60'), ...memory('90x60', '10x60')],
        at: '40m',
      },
      {
        ...minutes,
        when: 'the memory is free and the GPU is, too',
        series: [load('60x60'), ...memory('50x60', '50x60')],
        at: '40m',
      },
    ],
  ),
  ...cases(
    'GpuError',
    [
      { ...minutes, when: 'the driver reports an error', series: [xid('0x30 79x30')], at: '35m' },
      { ...minutes, when: 'it reports another one', series: [xid('31x30 79x30')], at: '35m' },
    ],
    [
      { ...minutes, when: 'it has shown the same one for hours', series: [xid('79x300')], at: '200m' },
      { ...minutes, when: 'there was none', series: [xid('0x60')], at: '35m' },
    ],
  ),
  ...cases(
    'GpuIdle',
    [{ ...days, when: 'the load is 1 % for six hours', series: [load('1x400')], at: '370m' }],
    [{ ...days, when: 'it is 20 %', series: [load('20x400')], at: '370m' }],
  ),
];

function memory(used: string, free: string): readonly InputSeries[] {
  return [
    [`${resourceSeries.gpuMemoryUsed.series}{${gpu}}`, used],
    [`${resourceSeries.gpuMemoryFree.series}{${gpu}}`, free],
  ];
}

function load(values: string): InputSeries {
  return [`${resourceSeries.gpuUtilization.series}{${gpu}}`, values];
}

function xid(values: string): InputSeries {
  return [`${resourceSeries.gpuError.series}{${gpu}}`, values];
}
