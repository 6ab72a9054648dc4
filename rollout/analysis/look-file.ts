import * as z from 'zod';
import { DataError } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import type { MetricEvidence } from '../analysis-verdict.ts';
import type { Analysed, Look } from '../analyst.ts';
import type { AnalysisSettings } from './settings.ts';

const number = z.number();
/** JSON has no Infinity. */
const edge = z.union([number, z.literal('+Inf').transform(() => Number.POSITIVE_INFINITY)]);
/** A NaN became `null` on its way into the file, and goes back to what it was. */
const told = z.union([number, z.null().transform(() => Number.NaN)]);

const seriesSchema = z
  .looseObject({
    id: z.string(),
    requests: told,
    errors: told,
    latency: z
      .looseObject({ edges: z.array(edge), cumulative: z.array(told), sum: told.exactOptional() })
      .exactOptional(),
    predictions: z.record(z.string(), told).exactOptional(),
    means: z
      .record(z.string(), z.looseObject({ sum: told, count: told, squares: told.exactOptional() }))
      .exactOptional(),
    at: told,
  })
  .readonly();

const lookSchema = z.looseObject({
  number: z.int().min(0),
  at: number,
  stage: z.looseObject({ kind: z.enum(['shadow', 'header', 'step']), index: number, weight: number, since: number }),
  warmUp: z.boolean(),
  reading: z
    .looseObject({
      canary: z.array(seriesSchema),
      baseline: z.array(seriesSchema),
      remarks: z.array(z.string()),
    })
    .exactOptional(),
});

const evidenceSchema = z.looseObject({
  metric: z.string(),
  says: z.enum(['harm', 'harmless', 'unsettled', 'no-data']),
  logEvidence: told,
  message: z.string(),
});

const share = z.number().min(0);
const settingsSchema = z.looseObject({
  falseRollback: number,
  falsePass: number,
  power: number,
  minRequests: number,
  warmUp: number,
  stageDeadline: number.exactOptional(),
  errors: z
    .looseObject({ share, maxRatio: number, maxIncrease: number, detectRatio: number, detectIncrease: number })
    .exactOptional(),
  latency: z
    .looseObject({ share, sloMs: number, maxShareIncrease: number, detectShareIncrease: number })
    .exactOptional(),
  predictions: z.looseObject({ share, maxShift: number, detectShift: number }).exactOptional(),
  agreement: z.looseObject({ share, min: number, detect: number }).exactOptional(),
  rewards: z.array(
    z.looseObject({
      share,
      name: z.string(),
      better: z.enum(['higher', 'lower']),
      lowest: number,
      highest: number,
      maxLoss: number,
      detectLoss: number,
    }),
  ),
});

const lineSchema = z.union([
  z.strictObject({ v: z.literal(1), settings: settingsSchema, state: z.json().exactOptional() }),
  z.strictObject({
    look: lookSchema,
    verdict: z.enum(['advance', 'hold', 'rollback', 'inconclusive']),
    metrics: z.array(evidenceSchema),
  }),
]);

/** What was recorded of a decision; the rest of the evidence follows from it. */
export interface RecordedLook {
  readonly kind: 'look';
  readonly look: Look;
  readonly verdict: Analysed['verdict'];
  readonly metrics: readonly Pick<MetricEvidence, 'metric' | 'says' | 'logEvidence' | 'message'>[];
}

/** A run begins, with evidence that earlier runs left it. */
export interface RecordedRun {
  readonly kind: 'run';
  readonly settings: AnalysisSettings;
  readonly state?: unknown;
}

/** The first line of a file of looks, and of each run that goes on with it: what the analysis was, and what it knew. */
export function runLine(settings: AnalysisSettings, state?: unknown): string {
  return JSON.stringify({ v: 1, settings, ...(state === undefined || state === null ? {} : { state }) });
}

/** One look, with what was made of it, as one line of JSON. */
export function lookLine(look: Look, { verdict, metrics }: Pick<Analysed, 'verdict' | 'metrics'>): string {
  return JSON.stringify({ look, verdict, metrics }, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? '+Inf' : value,
  );
}

/**
 * Reads a file of looks, line by line. Throws a `DataError` that names the line which is none, and for a file that does not begin with a run.
 */
export function parseLooks(text: string, file: string): readonly (RecordedRun | RecordedLook)[] {
  const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, at: index + 1 }]));
  const entries = lines.map(({ line, at }): RecordedRun | RecordedLook => {
    const parsed = lineSchema.safeParse(parsedJson(line));
    if (!parsed.success) {
      throw new DataError({
        code: 'no-look',
        message: 'this line is no recorded look',
        place: { file, line: at },
        found: excerpt(line),
        fix: 'Give the file of looks as a rollout wrote it (looks.jsonl), whole lines only.',
      });
    }
    const { data } = parsed;
    // Loose objects: what a newer version adds is passed over. Their known parts are what the types say.
    if ('look' in data) return { kind: 'look', ...data } as RecordedLook;
    return { kind: 'run', settings: data.settings, state: data.state } as RecordedRun;
  });
  if (entries[0]?.kind !== 'run') {
    throw new DataError({
      code: 'no-run',
      message: entries.length === 0 ? 'there are no looks in this file' : 'the file does not say how was decided',
      place: { file },
      fix: 'Give the whole file of looks: its first line holds the settings of the analysis.',
    });
  }
  return entries;
}
