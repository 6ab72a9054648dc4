import type { Place } from '../problem/index.ts';
import type { PolicyDifference } from '../report/index.ts';
import { excerpt } from '../text/index.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { formatPath, type PolicyPath, valueAt } from './policy-path.ts';
import { oneLineYaml } from './yaml-text.ts';

export type Side = PolicyDifference['effective'];

/** Where the two policies meet: writes down every difference, and which entry of which policy an effective list entry is. */
export class Ledger {
  readonly #base: LoadedPolicy;
  readonly #head: LoadedPolicy;
  readonly #differences: PolicyDifference[] = [];
  /** Effective path of a list entry -> the same entry in each policy. */
  readonly #origins = new Map<string, Origin>();

  constructor(base: LoadedPolicy, head: LoadedPolicy) {
    this.#base = base;
    this.#head = head;
  }

  get differences(): readonly PolicyDifference[] {
    return this.#differences;
  }

  root(): Spot {
    return this.#spot({ key: '', base: [], head: [], effective: [] });
  }

  /**
   * The place of an effective path: the head's line while the head has that key (annotations go to the changed file), else the
   * base's line, in a file named "... (base)".
   */
  placeOf(path: PolicyPath): Place {
    const origin = this.#originOf(path);
    const head = reach(this.#head, origin.head);
    const base = reach(this.#base, origin.base);
    if (base > head && origin.base !== undefined) return this.#placeInBase(origin.base);
    return this.#head.placeOf(origin.head ?? []);
  }

  #placeInBase(path: PolicyPath): Place {
    return { ...this.#base.placeOf(path), file: `${this.#base.file} (base)` };
  }

  #originOf(path: PolicyPath): Origin {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(JSON.stringify(path.slice(0, length)));
      if (origin === undefined) continue;
      const rest = path.slice(length);
      return {
        ...(origin.base === undefined ? {} : { base: [...origin.base, ...rest] }),
        ...(origin.head === undefined ? {} : { head: [...origin.head, ...rest] }),
      };
    }
    return { base: path, head: path };
  }

  #spot(at: Where): Spot {
    return {
      field: (name, suffix = formatPath([name]).replace(/^(?!\[)/, '.')) =>
        this.#spot({
          key: at.key === '' ? suffix.replace(/^\./, '') : at.key + suffix,
          base: at.base && [...at.base, name],
          head: at.head && [...at.head, name],
          effective: [...at.effective, name],
        }),
      entry: ({ suffix, effective, base, head }) => {
        const where: Where = {
          key: at.key + excerpt(suffix, 60),
          base: base === undefined ? undefined : at.base && [...at.base, base],
          head: head === undefined ? undefined : at.head && [...at.head, head],
          effective: [...at.effective, effective],
        };
        this.#origins.set(JSON.stringify(where.effective), origin(where));
        return this.#spot(where);
      },
      differs: (base, head, effective) => {
        this.#differences.push({
          key: at.key,
          ...(base === undefined ? {} : { base: excerpt(oneLineYaml(base), 200) }),
          ...(head === undefined ? {} : { head: excerpt(oneLineYaml(head), 200) }),
          effective,
          place:
            at.head !== undefined && (head !== undefined || at.base === undefined)
              ? this.#head.placeOf(at.head)
              : this.#placeInBase(at.base ?? []),
        });
      },
    };
  }
}

/** A spot in both policies at once. */
export interface Spot {
  /** A key of the mapping here; `suffix` is what it adds to the key that people read, `.name` by default. */
  field(name: string, suffix?: string): Spot;
  /** A list entry; `suffix` names it to people, the numbers are its index in each list, absent where it is not. */
  entry(entry: { suffix: string; effective: number; base?: number | undefined; head?: number | undefined }): Spot;
  /** Writes a difference down; `undefined` where a policy lacks the key. */
  differs(base: unknown, head: unknown, effective: Side): void;
}

interface Origin {
  readonly base?: PolicyPath;
  readonly head?: PolicyPath;
}

interface Where {
  readonly key: string;
  readonly base: PolicyPath | undefined;
  readonly head: PolicyPath | undefined;
  readonly effective: PolicyPath;
}

function origin({ base, head }: Where): Origin {
  return { ...(base === undefined ? {} : { base }), ...(head === undefined ? {} : { head }) };
}

/** How much of `path` the policy has, in segments; -1 for no path at all. */
function reach(policy: LoadedPolicy, path: PolicyPath | undefined): number {
  if (path === undefined) return -1;
  let length = path.length;
  while (length > 0 && valueAt(policy.policy, path.slice(0, length)) === undefined) length--;
  return length;
}
