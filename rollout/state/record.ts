import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';

/**
 * Where a rollout stands.
 *
 * - `starting`: claimed, nothing moved; waits until the canary is ready.
 * - `shadow`, `header`, `step`: the canary has copies, marked requests, or its weight.
 * - `paused`: by a person; the weight stays. `awaiting-approval`: all steps passed. `holding`: no run is on, the next one goes on.
 * - `promoting`: all traffic is being moved to the canary; can still go back. `finishing`: it has it, and the objects are being changed;
 *   from here on a rollout only goes forward.
 * - `rolling-back`: all traffic is being moved to the baseline, and what the rollout added is being removed.
 */
export const phases = [
  'starting',
  'shadow',
  'header',
  'step',
  'paused',
  'awaiting-approval',
  'holding',
  'promoting',
  'finishing',
  'rolling-back',
  'promoted',
  'rolled-back',
] as const;
export type Phase = (typeof phases)[number];

/**
 * What a second process may ask of a rollout. `skip`: passes the step without waiting for evidence; harm still rolls back. `approve`: once
 * all steps have passed, all traffic may go to the canary.
 */
export const commands = ['pause', 'resume', 'abort', 'skip', 'approve'] as const;
export type Command = (typeof commands)[number];

const time = z.number().min(0);
const traffic = z.strictObject({
  canaryWeight: z.int().min(0).max(100),
  mirrorPercent: z.int().min(0).max(100),
  header: z.strictObject({ name: z.string(), value: z.string() }).exactOptional(),
});

const recordSchema = z
  .strictObject({
    v: z.literal(1),
    id: z.string().min(1),
    holder: z.string().min(1),
    leaseUntil: time,
    phase: z.enum(phases),
    traffic,
    stage: z.int().min(0),
    passed: z.int().min(0),
    startedAt: time,
    stageAt: time,
    plan: z.string(),
    looks: z.int().min(0),
    exposedAt: time.exactOptional(),
    requestsAtStage: z.number().min(0).exactOptional(),
    lastLook: z.strictObject({ at: time, verdict: z.string() }).exactOptional(),
    analysis: z.json().exactOptional(),
    back: z.enum(['shadow', 'header', 'step', 'paused', 'awaiting-approval', 'starting']).exactOptional(),
    pausedFrom: z.enum(['shadow', 'header', 'step', 'awaiting-approval', 'starting']).exactOptional(),
    command: z.strictObject({ kind: z.enum(commands), by: z.string(), at: time }).exactOptional(),
    approved: z.strictObject({ by: z.string(), at: time }).exactOptional(),
    blindSince: time.exactOptional(),
    notReadySince: time.exactOptional(),
    drifts: z.int().min(0),
    reason: z.string().exactOptional(),
    endedAt: time.exactOptional(),
  })
  .readonly();

/**
 * A rollout as it is kept at the provider: all that a next run needs. Times are milliseconds of the epoch by the rollout's clock.
 *
 * - `id`: the same for every run that goes on with this rollout. `holder`: the one run that may write; `leaseUntil`: for how long.
 * - `traffic`: what the canary must have now. `stage`: which stage of the strategy is on, from 0; `passed`: how many are behind.
 * - `plan`: a digest of the strategy, so that a run with another one does not go on with this. `exposedAt`: the canary's first request.
 * - `approved`: by whom, for the promotion; the steps have to pass all the same.
 * - `back`: what `holding` interrupted; `pausedFrom`: what `paused` did. `blindSince`: the metrics cannot be asked since.
 * - `drifts`: how often somebody else's traffic was set right. `reason`: why it was rolled back or paused.
 */
export type RolloutRecord = z.infer<typeof recordSchema>;

/** One line of compact JSON. */
export function recordText(record: RolloutRecord): string {
  return JSON.stringify(record);
}

/** Reads what `recordText` wrote. Throws a `PeerError` for anything else, also for a record of a newer version of Sluice. */
export function parseRecord(text: string): RolloutRecord {
  const parsed = recordSchema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  const newer = z.looseObject({ v: z.number().gt(1) }).safeParse(parsedJson(text)).success;
  const [issue] = parsed.error.issues;
  throw new PeerError({
    code: newer ? 'newer-record' : 'broken-record',
    message: newer
      ? 'the rollout was recorded by a newer version of Sluice'
      : `the record of the rollout cannot be read${issue === undefined ? '' : `: ${issue.path.map(String).join('.')} ${excerpt(issue.message)}`}`,
    found: excerpt(text, 120),
    fix: newer
      ? 'Use that version, or abort the rollout with it.'
      : 'Set the traffic by hand to what it should be, then remove the record (the annotation, tag or file of the provider).',
  });
}

/** Nothing happens any more. */
export function isOver(record: Pick<RolloutRecord, 'phase'>): boolean {
  return record.phase === 'promoted' || record.phase === 'rolled-back';
}

/** All requests to the baseline, nothing copied, no header. */
export const noCanary = { canaryWeight: 0, mirrorPercent: 0 } as const;
