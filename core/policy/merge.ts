import { isDeepStrictEqual } from 'node:util';
import type { Side, Spot } from './ledger.ts';

/** Makes one value of the base's and the head's (`undefined`: the policy is silent) and tells the ledger where they differ. */
export type Merge<Value> = (base: Value | undefined, head: Value | undefined, at: Spot) => Value | undefined;

export interface Choice<Value> {
  readonly value: Value | undefined;
  readonly from: Side;
}

/** A value without parts, chosen by a rule of its own; `undefined` is a silent side. */
export const leafOf = <Value>(
  choose: (base: Value | undefined, head: Value | undefined) => Choice<Value>,
): Merge<Value> => leaf<Value>(choose);

/** A value without parts. `silent` is what silence means; saying it aloud is no difference. */
function leaf<Value>(
  choose: (base: Value | undefined, head: Value | undefined) => Choice<Value>,
  silent?: NoInfer<Value>,
): Merge<Value> {
  return (base, head, at) => {
    if (isDeepStrictEqual(base ?? silent, head ?? silent)) return base;
    const { value, from } = choose(base ?? silent, head ?? silent);
    at.differs(base, head, from);
    if (from === 'both') return value;
    return from === 'base' ? base : head;
  };
}

function fromBase<Value>(value: Value | undefined): Choice<Value> {
  return { value, from: 'base' };
}
function fromHead<Value>(value: Value | undefined): Choice<Value> {
  return { value, from: 'head' };
}

/** The side that demands something wins over a silent one; between two demands, the one that `stricter` says. */
function demand<Value>(stricter: (base: Value, head: Value) => 'base' | 'head', silent?: NoInfer<Value>): Merge<Value> {
  return leaf<Value>((base, head) => {
    if (base === undefined) return fromHead(head);
    if (head === undefined) return fromBase(base);
    return stricter(base, head) === 'base' ? fromBase(base) : fromHead(head);
  }, silent);
}

/** `min`, `mostly`, `min_opset`. */
export const larger = (silent?: number): Merge<number> =>
  demand((base, head) => (head > base ? 'head' : 'base'), silent);

/** `max`, `p95_ms`, `min_rows`. */
export const smaller = (silent?: number): Merge<number> =>
  demand((base, head) => (head < base ? 'head' : 'base'), silent);

// Numbers among numbers, dates among dates (whose text is ordered as they are); of one and the other the base's stands until the merge.
function endOrder(wins: (base: number | string, head: number | string) => boolean): Merge<number | string> {
  return demand((base, head) => (typeof base === typeof head && wins(base, head) ? 'head' : 'base'));
}
/** `min` that may be a date. */
export const largerEnd: Merge<number | string> = endOrder((base, head) => spelled(head) > spelled(base));
/** `max` that may be a date. */
export const smallerEnd: Merge<number | string> = endOrder((base, head) => spelled(head) < spelled(base));

function spelled(end: number | string): number | string {
  return typeof end === 'string' ? end.replace('T', ' ') : end;
}

/** `true` demands more than `false`. */
export const trueWins = (silent: boolean): Merge<boolean> => demand((_base, head) => (head ? 'head' : 'base'), silent);

/** What has an order of its own. */
export const lesser = <Value>(order: (value: Value) => number): Merge<Value> =>
  demand((base, head) => (order(head) < order(base) ? 'head' : 'base'));

/** `choices` from mild to strict. */
export const stricterOfChoices = <Choice_ extends string>(
  choices: readonly Choice_[],
  silent: NoInfer<Choice_>,
): Merge<Choice_> => demand((base, head) => (choices.indexOf(head) > choices.indexOf(base) ? 'head' : 'base'), silent);

type Change = number | string;

// 0.01 and 5% cannot be compared without knowing the baseline's value, so the base's stands until the merge.
function changeOrder(wins: (base: number, head: number) => boolean): Merge<Change> {
  return demand((base, head) => {
    if (typeof base !== typeof head) return 'base';
    return wins(Number.parseFloat(String(base)), Number.parseFloat(String(head))) ? 'head' : 'base';
  });
}
/** `max_regression`. */
export const smallerChange: Merge<Change> = changeOrder((base, head) => head < base);
/** `min_improvement`. */
export const largerChange: Merge<Change> = changeOrder((base, head) => head > base);

/** What has no order of strictness: the base's, also where it is silent. */
export const baseWins = <Value>(silent?: NoInfer<Value>): Merge<Value> => leaf<Value>((base) => fromBase(base), silent);

/** What belongs to the candidate, which is the head's. */
export const headWins = <Value>(): Merge<Value> => leaf<Value>((_base, head) => fromHead(head));

/** What may be added, but not changed. */
export const baseElseHead = <Value>(): Merge<Value> =>
  leaf<Value>((base, head) => (base === undefined ? fromHead(head) : fromBase(base)));

/** Both lists' entries, the base's first; of the head's only those that `mayBeAdded`. */
export const union = <Entry>(mayBeAdded: (entry: Entry) => boolean): Merge<Entry[]> =>
  leaf<Entry[]>((base = [], head = []) => {
    const added = head.filter((entry) => !base.includes(entry) && mayBeAdded(entry));
    if (added.length === 0) return fromBase(base);
    const all = [...base, ...added];
    return all.length === new Set(head).size ? fromHead(head) : { value: all, from: 'both' };
  });

type Columns = 'all' | string[];
/** More columns are stricter; silence means all. */
export const moreColumns: Merge<Columns> = (base, head, at) => {
  const [one, other]: readonly [Columns, Columns] = [base ?? 'all', head ?? 'all'];
  if (isDeepStrictEqual(one, other)) return base;
  if (one === 'all') {
    at.differs(base, head, 'base');
    return base;
  }
  if (other === 'all') {
    at.differs(base, head, 'head');
    return head;
  }
  const added = other.filter((column) => !one.includes(column));
  const wider = one.every((column) => other.includes(column));
  at.differs(base, head, added.length === 0 ? 'base' : wider ? 'head' : 'both');
  return [...one, ...added];
};

/** The same where the order counts: the base's, and what the head adds after it. */
export const unionInOrder = <Entry>(mayBeAdded: (entry: Entry) => boolean): Merge<Entry[]> =>
  leaf<Entry[]>((base = [], head = []) => {
    const added = head.filter((entry) => !base.includes(entry) && mayBeAdded(entry));
    return added.length === 0 ? fromBase(base) : { value: [...base, ...added], from: 'both' };
  });

/** One merge a key. A mapping that only one side has stays as it is. */
export function fields<Value extends object>(
  merges: {
    readonly [Key in keyof Value]-?: Merge<Exclude<Value[Key], undefined>>;
  },
): Merge<Value> {
  return (base, head, at) => {
    if (base === undefined || head === undefined) return oneSided(base, head, at);
    const merged: Partial<Value> = {};
    for (const key of Object.keys(merges) as (keyof Value & string)[]) {
      const merge: Merge<Value[typeof key]> = merges[key] as Merge<Value[typeof key]>;
      const value = merge(base[key], head[key], at.field(key));
      if (value !== undefined) merged[key] = value;
    }
    // Every required key is in both, and no merge makes nothing of two values.
    return merged as Value;
  };
}

/** What leads out of the repository is the base's to name; the rest is merged as `merge` says. */
export const outsideFromBase =
  <Value>(leadsOut: (value: Value) => boolean, merge: Merge<Value>): Merge<Value> =>
  (base, head, at) => {
    if (head === undefined || !leadsOut(head)) return merge(base, head, at);
    return baseWins<Value>()(base, head, at);
  };

/** What only the head has, without the keys that wait for the merge. */
export function withoutWaiting<Value extends object>(
  head: Value,
  waiting: readonly (keyof Value & string)[],
  at: Spot,
): Value {
  const kept = Object.entries(head).filter(([key]) => !(waiting as readonly string[]).includes(key));
  oneSided(undefined, head, at);
  for (const key of waiting) at.field(key).differs(undefined, head[key], 'base');
  return Object.fromEntries(kept) as Value;
}

/** What only one side has: it stays, and is a difference. */
export function oneSided<Value>(base: Value | undefined, head: Value | undefined, at: Spot): Value | undefined {
  if (base !== undefined || head !== undefined) at.differs(base, head, base === undefined ? 'head' : 'base');
  return base ?? head;
}
