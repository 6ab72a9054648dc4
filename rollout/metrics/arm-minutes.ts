import type { Reading, SeriesCounts } from '../metrics-source.ts';
import { type Minute, MinuteCounts, minute } from './minute-counts.ts';

export type ArmName = 'canary' | 'baseline';
export const arms: readonly ArmName[] = ['canary', 'baseline'];

/** What was found for each question, by the minute's beginning: `canary_requests`, `canary_errors`, `canary_timed`, `canary_within0`. */
export type FoundMinutes = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** A service that counts by the minute. */
export interface MinuteService {
  /** Its own time in milliseconds of the epoch; `undefined`: it has not answered yet. */
  now(): number | undefined;
  ask(from: number, to: number, signal: AbortSignal | undefined): Promise<FoundMinutes>;
  /** What is said of an arm without latency, and of one without requests. */
  readonly remarks: { latency(arm: ArmName): string; requests(arm: ArmName): string };
}

/** A look itself takes its time, and dates are whole seconds. Milliseconds. */
const mostDrift = 30_000;

/** Both arms' counts by the minute, asked of one service. */
export class ArmMinutes {
  readonly #service: MinuteService;
  readonly #edges: readonly number[];
  readonly #counts: Readonly<Record<ArmName, MinuteCounts>>;

  /** `names` of the series; `edges` in seconds, rising, none where no latency is asked for. */
  constructor(service: MinuteService, names: Readonly<Record<ArmName, string>>, edges: readonly number[]) {
    this.#service = service;
    this.#edges = edges;
    this.#counts = {
      canary: new MinuteCounts(names.canary, edges),
      baseline: new MinuteCounts(names.baseline, edges),
    };
  }

  async read(signal?: AbortSignal): Promise<Reading> {
    signal?.throwIfAborted();
    const service = this.#service;
    // The first question is only to learn the service's time: counting begins with a minute of its own.
    if (service.now() === undefined) await service.ask(Date.now() - minute, Date.now(), signal);
    const began = service.now() ?? Date.now();
    const first = await this.#look(began, signal);
    // Minutes are the service's. Where its answer tells another time than was thought, they were the wrong ones.
    const now = service.now() ?? began;
    return Math.abs(now - began) < mostDrift ? first : this.#look(now, signal);
  }

  async #look(now: number, signal: AbortSignal | undefined): Promise<Reading> {
    const { remarks: words } = this.#service;
    const remarks: string[] = [];
    const spans = arms.map((arm) => this.#counts[arm].span(now));
    const [from, to] = [Math.min(...spans.map((span) => span.from)), Math.max(...spans.map((span) => span.to))];
    const found = await this.#service.ask(from, to, signal);
    const series = (arm: ArmName): readonly SeriesCounts[] => {
      this.#counts[arm].add(this.#minutesOf(arm, found));
      const counts = this.#counts[arm].counts(to);
      if (counts !== undefined && counts.latency === undefined && this.#edges.length > 0)
        remarks.push(words.latency(arm));
      if (counts !== undefined) return [counts];
      remarks.push(words.requests(arm));
      return [];
    };
    return { canary: series('canary'), baseline: series('baseline'), remarks };
  }

  #minutesOf(arm: ArmName, found: FoundMinutes): ReadonlyMap<number, Minute> {
    const of = (question: string) => found.get(`${arm}_${question}`) ?? new Map<number, number>();
    const [requests, errors, timed] = [of('requests'), of('errors'), of('timed')];
    const within = this.#edges.map((_, index) => of(`within${index}`));
    // No count below any edge, not even nothing: a histogram without it would call all requests slow.
    const told = within.some((values) => values.size > 0);
    return new Map(
      [...new Set([...requests.keys(), ...errors.keys(), ...timed.keys()])].map((at) => [
        at,
        {
          requests: requests.get(at) ?? 0,
          errors: errors.get(at) ?? 0,
          ...(told ? { timed: timed.get(at) ?? 0, within: within.map((values) => values.get(at) ?? 0) } : {}),
        },
      ]),
    );
  }
}
