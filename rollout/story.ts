import type { RolloutFigure } from '../core/report/index.ts';
import { printable } from '../core/text/index.ts';
import type { Analysed } from './analyst.ts';
import type { Turn } from './live-rollout.ts';
import { durationText } from './state/duration-text.ts';
import type { RolloutRecord } from './state/record.ts';

/** Points of a drawing; more would not be seen. */
const mostPoints = 400;
const mostEvents = 500;
/** Looks are as often as scrapes; a reader of a log wants one now and then. */
const sayEveryMs = 60_000;

interface Point {
  readonly seconds: number;
  readonly weight: number;
  readonly evidence: Readonly<Record<string, number>>;
}

/** What happened in a run of a rollout, turn after turn: lines for a log while it happens, a figure when it is over. */
export class RolloutStory {
  readonly #points: Point[] = [];
  readonly #events: { readonly seconds: number; readonly text: string }[] = [];
  #start: number | undefined;
  #last: Analysed | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #saidWords = '';

  /** The evidence of the last look that had some. */
  get analysed(): Analysed | undefined {
    return this.#last;
  }

  /** Takes a turn in; returns the line to show now, if it is worth one. */
  tell(turn: Turn): string | undefined {
    const { record, analysed, at, messages } = turn;
    this.#start ??= record.startedAt;
    const seconds = Math.max(0, (at - this.#start) / 1000);
    for (const { text } of messages) {
      if (this.#events.length < mostEvents) this.#events.push({ seconds, text: printable(text) });
    }
    if (analysed !== undefined) {
      this.#last = analysed;
      this.#points.push({ seconds, weight: turn.before.traffic.canaryWeight, evidence: sharesOf(analysed) });
    }
    const words = `${record.phase} ${record.traffic.canaryWeight} ${analysed?.verdict ?? ''}`;
    if (words === this.#saidWords && at - this.#saidAt < sayEveryMs) return undefined;
    this.#saidWords = words;
    this.#saidAt = at;
    return analysed === undefined ? undefined : lookText(record, analysed, seconds);
  }

  figure(): RolloutFigure | undefined {
    const { length } = this.#points;
    if (length === 0 && this.#events.length === 0) return undefined;
    const count = Math.min(length, mostPoints);
    const points = Array.from({ length: count }, (_, place) =>
      count === 1 ? 0 : Math.round((place * (length - 1)) / (count - 1)),
    ).flatMap((index) => this.#points[index] ?? []);
    const names = [...new Set(points.flatMap(({ evidence }) => Object.keys(evidence)))];
    return {
      kind: 'rollout',
      id: 'rollout',
      title: 'The rollout',
      seconds: points.map(({ seconds }) => seconds),
      weight: points.map(({ weight }) => weight),
      evidence: names.map((name) => ({
        name: printable(name),
        share: points.map(({ evidence }) => evidence[name] ?? 0),
      })),
      events: this.#events,
    };
  }
}

/** How near each metric is to a rollback, from 0; finite whatever the evidence is. */
function sharesOf({ metrics }: Analysed): Readonly<Record<string, number>> {
  return Object.fromEntries(
    metrics.map(({ metric, logEvidence, threshold }) => {
      const share = threshold > 0 ? logEvidence / threshold : 0;
      return [metric, Number.isNaN(share) ? 0 : Math.min(10, Math.max(0, share))];
    }),
  );
}

/** `12m 30s · 25 % · hold · errors 34 % of a rollback, latency 5 %`. */
function lookText(record: RolloutRecord, analysed: Analysed, seconds: number): string {
  const shares = Object.entries(sharesOf(analysed)).map(
    ([name, share], index) => `${name} ${Math.round(share * 100)} %${index === 0 ? ' of a rollback' : ''}`,
  );
  const told = [...shares, ...analysed.remarks.slice(0, 3)];
  return printable(
    [
      durationText(seconds * 1000),
      record.phase === 'step' ? `${record.traffic.canaryWeight} %` : `${record.phase} ${record.traffic.canaryWeight} %`,
      analysed.verdict,
      ...(told.length === 0 ? [] : [told.join(', ')]),
    ].join(' · '),
  );
}
