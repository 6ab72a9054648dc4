import type { Analysed } from '../analyst.ts';
import { firstStage, raiseWhileUnsettled, stageAfter } from '../strategy/stages.ts';
import type { Stage } from '../strategy/strategy.ts';
import { durationText } from './duration-text.ts';
import { type Effect, type Observed, type RolloutEvent, sameTraffic } from './event.ts';
import { isOver, noCanary, type Phase, type RolloutRecord } from './record.ts';
import type { RolloutSettings } from './settings.ts';

/** The record that comes next, to be persisted before anything else, and what is to be done after that. */
export interface Step {
  readonly record: RolloutRecord;
  /**
   * The record's traffic has to be written with it, whether or not it changed: after a crash nobody knows whether the data plane was told.
   */
  readonly move: boolean;
  readonly effects: readonly Effect[];
}

type Watched = 'shadow' | 'header' | 'step' | 'paused' | 'awaiting-approval' | 'starting';
const watched: ReadonlySet<Phase> = new Set<Watched>([
  'shadow',
  'header',
  'step',
  'paused',
  'awaiting-approval',
  'starting',
]);

/** Traffic that somebody else changes again and again cannot be watched. */
const mostDrifts = 3;

/**
 * The state machine of a rollout, as a pure function. Whatever happens in whatever phase before `finishing`, harm rolls back; no event
 * leads out of `promoted` and `rolled-back`; weights rise only from a stage that passed, and `promoting` only follows the last of them.
 */
export function next(record: RolloutRecord, event: RolloutEvent, settings: RolloutSettings): Step {
  if (isOver(record)) return { record, move: false, effects: [] };
  switch (event.kind) {
    case 'observed':
      return observed(record, event, settings);
    case 'ordered':
      return ordered(record, event, settings);
    case 'resumed':
      return resumed(record, event, settings);
    case 'cancelled':
      return rollBack(record, event.now, event.why, settings);
    case 'finished':
      return finished(record, event.now);
  }
}

function observed(before: RolloutRecord, event: Observed & { readonly now: number }, settings: RolloutSettings): Step {
  const { now } = event;
  if (before.phase === 'finishing') return stay(renewed(before, now, settings), finishAs('promoted'));
  // Hosts may take longer to be released than the lease lasts. Whoever else finds it run out meanwhile takes the rollout over all the same.
  const expired = now > before.leaseUntil + event.movedFor;
  const record = counted(renewed(before, now, settings), event);
  const drifted = !sameTraffic(event.traffic.desired, record.traffic);
  if (record.phase === 'rolling-back') {
    if (drifted) return { record, move: true, effects: [] };
    // A data plane that does not say it follows must not keep the objects from being set right for ever.
    const late = now - record.stageAt > settings.readyDeadline;
    if (event.traffic.settled) return stay(record, finishAs('rolled-back'));
    if (!late) return stay(record);
    const message = 'The data plane does not say that it follows; the objects are set right all the same.';
    return stay(record, { kind: 'tell', warn: true, message }, finishAs('rolled-back'));
  }
  const harm = reasonToGoBack(record, event, settings, expired, drifted);
  if (harm !== undefined) return rollBack(record, now, harm, settings);
  if (drifted) {
    return {
      record: { ...record, drifts: record.drifts + 1 },
      move: true,
      effects: [
        {
          kind: 'tell',
          warn: true,
          message: `Somebody else moved the canary to ${event.traffic.desired.canaryWeight} %; it is set back to ${record.traffic.canaryWeight} %.`,
        },
      ],
    };
  }
  const moved = onward(record, event, settings);
  if (moved !== undefined) return moved;
  if (!event.stop || !watched.has(record.phase)) return stay(record);
  const until = now + settings.resumeWithin;
  return stay(
    { ...record, phase: 'holding', back: record.phase as Watched, leaseUntil: until },
    {
      kind: 'tell',
      message: `The rollout holds at ${record.traffic.canaryWeight} %. Go on with it, by the same id, before ${new Date(until).toISOString()}.`,
    },
  );
}

/** Why the canary must lose its traffic, whatever the phase; `undefined`: it need not. */
function reasonToGoBack(
  record: RolloutRecord,
  { analysed, traffic, now }: Observed & { readonly now: number },
  settings: RolloutSettings,
  expired: boolean,
  drifted: boolean,
): string | undefined {
  if (expired) {
    return 'the lease ran out: nobody watched the canary for too long';
  }
  if (analysed?.verdict === 'rollback') return harmOf(analysed);
  if (traffic.takenBack !== undefined) return traffic.takenBack;
  if (drifted && record.drifts >= mostDrifts) {
    return 'somebody else keeps moving the traffic';
  }
  if (record.blindSince !== undefined && now - record.blindSince > settings.lease) {
    return `the metrics could not be asked for ${durationText(settings.lease)}`;
  }
  if (record.notReadySince !== undefined && now - record.notReadySince > settings.readyDeadline) {
    const why = traffic.notReady ?? 'the data plane does not follow';
    return `the canary was not ready for ${durationText(settings.readyDeadline)}: ${why}`;
  }
  if (now - record.startedAt > settings.deadline) {
    return `the rollout took longer than its deadline of ${durationText(settings.deadline)}`;
  }
  const inStage = record.phase === 'shadow' || record.phase === 'header' || record.phase === 'step';
  if (inStage && settings.maxStage !== undefined && now - record.stageAt > settings.maxStage) {
    return `this stage did not show the canary to be harmless within ${durationText(settings.maxStage)}`;
  }
  return undefined;
}

/** The first metric that shows harm, in its own words. */
function harmOf({ metrics }: Analysed): string {
  const found = metrics.find(({ says }) => says === 'harm');
  return found === undefined ? 'the analysis shows harm' : `${found.metric}: ${found.message}`;
}

/** The step forward that this look allows; `undefined`: stay. */
function onward(
  record: RolloutRecord,
  event: Observed & { readonly now: number },
  settings: RolloutSettings,
): Step | undefined {
  const { now, analysed, traffic } = event;
  const ready = traffic.notReady === undefined;
  if (record.phase === 'starting') {
    return ready ? enter(record, firstStage(settings.strategy), 0, event) : undefined;
  }
  if (record.phase === 'awaiting-approval') {
    return event.approved || record.approved !== undefined ? promote(record, now, ['Approved.']) : undefined;
  }
  if (record.phase === 'promoting') {
    if (!traffic.settled) return undefined;
    return stay({ ...record, phase: 'finishing' }, finishAs('promoted'));
  }
  if (record.phase !== 'shadow' && record.phase !== 'header' && record.phase !== 'step') return undefined;
  if (!ready || !traffic.settled) return undefined;
  const skipped = record.command?.kind === 'skip';
  if (!skipped && (analysed === undefined || event.blind)) return undefined;
  if (!skipped && analysed !== undefined && !hasPassed(record, analysed, now, settings)) {
    const raised = raiseWhileUnsettled(settings.strategy, situationOf(record, analysed, event, settings));
    const may = raised !== undefined && analysed.verdict === 'hold' && now - record.stageAt >= settings.lookEvery;
    return may ? enter(record, raised, record.passed, event) : undefined;
  }
  const { command: _, ...rest } = record;
  const situation = situationOf(rest, analysed ?? nothing, event, settings);
  const after = stageAfter(settings.strategy, situation);
  if (after !== undefined) return enter(rest, after, record.passed + 1, event);
  const passed = { ...rest, passed: record.passed + 1 };
  if (!settings.approval || record.approved !== undefined) return promote(passed, now, []);
  return stay(
    { ...passed, phase: 'awaiting-approval', stageAt: now },
    { kind: 'tell', message: 'Every step has passed. The rollout waits for an approval.' },
  );
}

function hasPassed(record: RolloutRecord, analysed: Analysed, now: number, settings: RolloutSettings): boolean {
  if (now - record.stageAt < settings.minStage) return false;
  const { header } = settings.strategy;
  if (record.phase !== 'header' || header === undefined) return analysed.verdict === 'advance';
  return (
    analysed.verdict === 'advance' || analysed.requests.canary - (record.requestsAtStage ?? 0) >= header.minRequests
  );
}

const nothing: Analysed = {
  verdict: 'hold',
  metrics: [],
  requests: { canary: 0, baseline: 0 },
  state: undefined,
  remarks: [],
};

function situationOf(
  record: Pick<RolloutRecord, 'passed' | 'traffic'>,
  analysed: Analysed,
  { requestsPerSecond }: Observed,
  { lookEvery }: RolloutSettings,
) {
  // A harm of this look is seen at the next and taken back by the one after.
  return {
    passed: record.passed,
    traffic: record.traffic,
    analysed,
    requestsPerSecond,
    secondsExposed: (2 * lookEvery) / 1000,
  };
}

function enter(
  record: RolloutRecord,
  stage: Stage,
  passed: number,
  { now, analysed }: Observed & { now: number },
): Step {
  const exposed = record.exposedAt ?? now;
  const requests = analysed?.requests.canary;
  return {
    record: {
      ...record,
      phase: stage.kind,
      traffic: stage.traffic,
      stage: record.phase === 'starting' ? 0 : record.stage + 1,
      passed,
      stageAt: now,
      exposedAt: exposed,
      ...(requests === undefined ? {} : { requestsAtStage: requests }),
    },
    move: true,
    effects: [{ kind: 'tell', message: stageWords(stage) }],
  };
}

function stageWords({ kind, traffic }: Stage): string {
  if (kind === 'shadow') return `The canary gets copies of ${traffic.mirrorPercent} % of the requests.`;
  if (kind === 'header') return `The canary gets the requests with the header ${traffic.header?.name ?? ''}.`;
  return `The canary gets ${traffic.canaryWeight} % of the requests.`;
}

function promote(record: RolloutRecord, now: number, words: readonly string[]): Step {
  return {
    record: {
      ...record,
      phase: 'promoting',
      stageAt: now,
      traffic: { canaryWeight: 100, mirrorPercent: 0 },
    },
    move: true,
    effects: [{ kind: 'tell', message: [...words, 'All requests go to the canary.'].join(' ') }],
  };
}

function rollBack(record: RolloutRecord, now: number, why: string, settings: RolloutSettings): Step {
  if (record.phase === 'finishing') {
    return stay(renewed(record, now, settings), {
      kind: 'tell',
      warn: true,
      message: `Too late to go back (${why}): the canary already is the baseline. Roll out the version before it to undo this.`,
    });
  }
  if (record.phase === 'rolling-back') return { record: renewed(record, now, settings), move: true, effects: [] };
  const { command: _, back: __, pausedFrom: ___, ...rest } = record;
  return {
    record: {
      ...renewed(rest, now, settings),
      phase: 'rolling-back',
      traffic: noCanary,
      stageAt: now,
      reason: cut(why),
    },
    move: true,
    effects: [{ kind: 'tell', warn: true, message: `Rolling back: ${why}.` }],
  };
}

function ordered(
  record: RolloutRecord,
  { now, command, by }: Extract<RolloutEvent, { kind: 'ordered' }>,
  settings: RolloutSettings,
): Step {
  const { command: _, ...rest } = record;
  if (command === 'abort') return rollBack(rest, now, `aborted by ${by}`, settings);
  if (command === 'pause') {
    if (!watched.has(record.phase) || record.phase === 'paused') return stay(rest);
    return stay(
      { ...rest, phase: 'paused', pausedFrom: record.phase as Exclude<Watched, 'paused'>, reason: `paused by ${by}` },
      { kind: 'tell', message: `Paused by ${by}. The canary keeps its traffic and is watched.` },
    );
  }
  if (command === 'resume') {
    if (record.phase !== 'paused') return stay(rest);
    const { pausedFrom, reason: __, ...paused } = rest;
    return stay(
      // What the stage has lasted so far, pause included, proves nothing about a quiet canary: it starts anew.
      { ...paused, phase: pausedFrom ?? 'step', stageAt: now },
      { kind: 'tell', message: `Resumed by ${by}.` },
    );
  }
  if (command === 'approve') {
    if (!watched.has(record.phase) || record.approved !== undefined) return stay(rest);
    const more = record.phase === 'awaiting-approval' ? '' : ' The steps have to pass all the same.';
    return stay({ ...rest, approved: { by, at: now } }, { kind: 'tell', message: `Approved by ${by}.${more}` });
  }
  if (record.phase !== 'shadow' && record.phase !== 'header' && record.phase !== 'step') return stay(rest);
  return stay(
    { ...rest, command: { kind: 'skip', by, at: now } },
    { kind: 'tell', warn: true, message: `${by} passes this stage by hand; harm still rolls back.` },
  );
}

function resumed(
  record: RolloutRecord,
  { now, holder, plan }: Extract<RolloutEvent, { kind: 'resumed' }>,
  settings: RolloutSettings,
): Step {
  const held = { ...renewed(record, now, settings), holder };
  // Only forward: traffic is where it belongs, and the objects are finished by the next look.
  if (record.phase === 'finishing') return stay(held);
  if (record.phase === 'rolling-back') return { record: held, move: true, effects: [] };
  if (now > record.leaseUntil) {
    return rollBack(held, now, 'the lease ran out: nobody watched the canary for too long', settings);
  }
  if (plan !== undefined && plan !== record.plan) {
    return rollBack(held, now, 'the strategy is not the one this rollout was started with', settings);
  }
  const { back, ...rest } = held;
  const phase = record.phase === 'holding' ? (back ?? 'step') : record.phase;
  return {
    record: { ...rest, phase },
    // The run before may have died between the record and the traffic.
    move: true,
    effects: [{ kind: 'tell', message: `Going on at ${record.traffic.canaryWeight} %.` }],
  };
}

function finished(record: RolloutRecord, now: number): Step {
  if (record.phase !== 'finishing' && record.phase !== 'rolling-back') return stay(record);
  const promoted = record.phase === 'finishing';
  const { analysis: _, command: __, ...rest } = record;
  return stay(
    { ...rest, phase: promoted ? 'promoted' : 'rolled-back', endedAt: now, leaseUntil: now },
    {
      kind: 'tell',
      message: promoted ? 'Promoted: the canary is the new baseline.' : 'Rolled back: all requests go to the baseline.',
    },
  );
}

/** The clock never goes back in a record, whoever writes it. */
function renewed(record: RolloutRecord, now: number, { lease }: RolloutSettings): RolloutRecord {
  return { ...record, leaseUntil: now + lease };
}

/** Looks, evidence, and since when something is amiss. */
function counted(record: RolloutRecord, { analysed, blind, traffic, now }: Observed & { now: number }): RolloutRecord {
  const { blindSince, notReadySince, ...rest } = record;
  const unwell = traffic.notReady !== undefined || !traffic.settled;
  return {
    ...rest,
    ...(blind ? { blindSince: blindSince ?? now } : {}),
    ...(unwell ? { notReadySince: notReadySince ?? now } : {}),
    ...(analysed === undefined
      ? {}
      : {
          looks: record.looks + 1,
          lastLook: { at: now, verdict: analysed.verdict },
          ...(analysed.state === undefined ? {} : { analysis: analysed.state as RolloutRecord['analysis'] & {} }),
        }),
  };
}

function stay(record: RolloutRecord, ...effects: readonly Effect[]): Step {
  return { record, move: false, effects };
}

function finishAs(outcome: 'promoted' | 'rolled-back'): Effect {
  return { kind: 'finish', outcome };
}

/** A reason is kept beside the traffic, where room is scarce. */
function cut(text: string): string {
  const characters = Array.from(text);
  return characters.length <= 300 ? text : `${characters.slice(0, 299).join('')}…`;
}
