/** What one arm did between two looks, over all its series. Differences, never totals. */
export interface ArmWindow {
  readonly requests: number;
  readonly errors: number;
  /** Seconds; at the edges that all its series have. The last edge is not written: everything is below Infinity. */
  readonly latency?: LatencyWindow;
  /** By class, in the order of the names. */
  readonly predictions: readonly (readonly [string, number])[];
  readonly means: readonly (readonly [string, MeanWindow])[];
}

export interface LatencyWindow {
  readonly edges: readonly number[];
  /** How many took at most so long. */
  readonly cumulative: readonly number[];
  /** How many there were. */
  readonly count: number;
}

export interface MeanWindow {
  readonly count: number;
  readonly sum: number;
  /** Absent where a series does not count squares. */
  readonly squares?: number;
}

export const noWindow: ArmWindow = { requests: 0, errors: 0, predictions: [], means: [] };

/** Both together. Edges that only one of them has are lost. */
export function addWindows(one: ArmWindow, other: ArmWindow): ArmWindow {
  const latency = addLatency(one.latency, other.latency);
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    ...(latency === undefined ? {} : { latency }),
    predictions: addPredictions(one.predictions, other.predictions),
    means: merged(one.means, other.means, addMeans),
  };
}

/** Of how many requests each class was said, in both together. */
export function addPredictions(
  one: ArmWindow['predictions'],
  other: ArmWindow['predictions'],
): ArmWindow['predictions'] {
  return merged(one, other, (left, right) => left + right);
}

function addLatency(one: LatencyWindow | undefined, other: LatencyWindow | undefined): LatencyWindow | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const shared = one.edges.flatMap((edge, index) => {
    const place = other.edges.indexOf(edge);
    return place < 0 ? [] : [{ edge, count: (one.cumulative[index] ?? 0) + (other.cumulative[place] ?? 0) }];
  });
  return {
    edges: shared.map(({ edge }) => edge),
    cumulative: shared.map((each) => each.count),
    count: one.count + other.count,
  };
}

function addMeans(one: MeanWindow, other: MeanWindow): MeanWindow {
  const both = one.squares !== undefined && other.squares !== undefined;
  return {
    count: one.count + other.count,
    sum: one.sum + other.sum,
    ...(both ? { squares: (one.squares ?? 0) + (other.squares ?? 0) } : {}),
  };
}

function merged<Value>(
  one: readonly (readonly [string, Value])[],
  other: readonly (readonly [string, Value])[],
  add: (left: Value, right: Value) => Value,
): readonly (readonly [string, Value])[] {
  if (one.length === 0) return other;
  const all = new Map(one);
  for (const [name, value] of other) {
    const known = all.get(name);
    all.set(name, known === undefined ? value : add(known, value));
  }
  return [...all].sort(([left], [right]) => (left < right ? -1 : 1));
}
