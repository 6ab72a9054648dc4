import { tensorOf } from '../../core/evaluation/index.ts';
import {
  type Feeds,
  isRunnable,
  type Model,
  type ModelToTime,
  Timer,
  type TimerOptions,
} from '../../core/onnx/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import type { Side, Stopwatch } from './latency-measurement.ts';
import { firstFeeds, type WiredModel } from './model-run.ts';

/** A model, and how it reads the rows that it is timed on. */
export interface TimedModel {
  readonly model: Pick<Model, 'inputs' | 'outputs' | 'forTiming'>;
  /** Absent where there are no rows to feed it. */
  readonly wired: WiredModel | undefined;
}

/** Ready to be timed on the first `batch` rows of the evaluation data, or on zeros where there is none. */
export async function readyToTime(
  { model, wired }: TimedModel,
  rows: EvaluationRows | undefined,
  batch: number,
): Promise<ModelToTime> {
  const feeds =
    wired === undefined || rows === undefined ? zeroFeeds(model, batch) : await firstFeeds(wired, rows, batch);
  return model.forTiming(feeds, wired?.outputs ?? runnableOutputs(model));
}

/** Rows of a call that the model itself fixes; undefined where the caller may choose. */
export function fixedRows({ model }: Pick<TimedModel, 'model'>): number | undefined {
  const [first] = model.inputs.map(({ shape }) => shape[0]);
  const free = model.inputs.every(({ shape }) => typeof shape[0] === 'string');
  return free ? undefined : typeof first === 'number' ? first : 1;
}

/** Times models in a process of their own, on the same inputs in every call. */
export async function withStopwatch<Result>(
  models: { readonly candidate: ModelToTime; readonly baseline: ModelToTime | undefined },
  options: TimerOptions & { readonly progress?: NonNullable<Stopwatch['progress']> },
  work: (stopwatch: Stopwatch) => Promise<Result>,
): Promise<Result> {
  await using timer = await Timer.start(options);
  const { candidate, baseline } = models;
  const of = { candidate, baseline, control: baseline };
  return await work({
    compares: baseline !== undefined,
    async open(sides: readonly Side[]) {
      for (const seat of timer.seats) await timer.release(seat);
      for (const side of sides) {
        const model = of[side];
        if (model === undefined) throw new TypeError('there is no baseline to time');
        await timer.open(side, model);
      }
    },
    time: (timetable) => timer.time(timetable),
    now: () => performance.now(),
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
}

function runnableOutputs({ outputs }: Pick<Model, 'outputs'>): readonly string[] {
  return outputs.filter(({ type }) => isRunnable(type)).map(({ name }) => name);
}

/** Zeros and empty texts in the shapes that the model declares; `batch` for the first size that it leaves open, 1 for others. */
function zeroFeeds(model: Pick<Model, 'inputs'>, batch: number): Feeds {
  return Object.fromEntries(
    model.inputs.flatMap(({ name, type, shape }) => {
      if (!isRunnable(type)) return [];
      const dims = shape.map((size, at) => (typeof size === 'number' ? size : at === 0 ? batch : 1));
      return [[name, tensorOf(type, dims, () => (type === 'string' ? '' : 0))]];
    }),
  );
}
