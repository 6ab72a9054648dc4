import { InputError } from '../../core/problem/index.ts';

/** Seconds: from 5 ms to 10 s, where most models answer. */
const usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Edges of a histogram in seconds, given in milliseconds. Throws an InputError for edges that do not rise. */
export function latencyEdges(given: readonly number[] | undefined): readonly number[] {
  if (given === undefined) return usual;
  if (given.every((edge, index) => edge > (given[index - 1] ?? 0))) return given.map((edge) => edge / 1000);
  throw new InputError({
    code: 'edges-not-rising',
    message: 'the edges of the latency histogram do not rise',
    found: given.join(', '),
    fix: 'Sort canary.metrics.latency_edges_ms, each once.',
  });
}
