import { isDeepStrictEqual } from 'node:util';
import { excerpt } from '../../../core/text/index.ts';
import type { EnvironmentProcess } from './environment-process.ts';

/** The version of the protocol that `environment-protocol.md` describes. */
export const protocolVersion = 1;

/** What an environment lets a policy do. */
export type ActionSpace =
  | { readonly type: 'discrete'; readonly n: number; readonly start: number }
  | {
      readonly type: 'continuous';
      readonly shape: readonly number[];
      /** One for each element, or absent where there is no limit. */
      readonly low?: readonly number[];
      readonly high?: readonly number[];
    };

/** A number, or numbers nested as the environment's shape has them. */
export type Action = number | readonly Action[];

/** Numbers in row-major order; a single number has no dimensions. */
export interface Observed {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

/** One array of numbers, or one for each input of the model, by name. */
export type Observation = Observed | { readonly byName: ReadonlyMap<string, Observed> };

export interface Step {
  readonly observation: Observation;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  /** What the environment says the policy did wrong. */
  readonly violations: readonly string[];
}

/** What an environment says of itself. */
export interface EnvironmentFacts {
  readonly name: string;
  readonly action: ActionSpace;
  /** The smallest and largest sum of rewards that an episode can have, where the environment knows. */
  readonly returns?: readonly [number, number];
  /** How many episodes it can play at once. */
  readonly slots: number;
}

/** An environment that speaks the protocol. Every method throws a `PeerError` for an answer that is none. */
export class Environment implements AsyncDisposable {
  readonly facts: EnvironmentFacts;
  readonly #process: EnvironmentProcess;

  private constructor(process: EnvironmentProcess, facts: EnvironmentFacts) {
    this.#process = process;
    this.facts = facts;
  }

  static async open(process: EnvironmentProcess): Promise<Environment> {
    try {
      const [answer] = await process.ask([{ command: 'open', protocol: protocolVersion }]);
      return new Environment(process, new Answer(answer, process, 'open').facts());
    } catch (error) {
      await process.close();
      throw error;
    }
  }

  /** Begins an episode in each of these slots; the observations are in their order. */
  async reset(of: readonly { readonly slot: number; readonly seed: number }[]): Promise<readonly Observation[]> {
    const answers = await this.#process.ask(
      of.map(({ slot, seed }) => ({ command: 'reset', seed, ...this.#in(slot) })),
    );
    return answers.map((answer) => new Answer(answer, this.#process, 'reset').observation());
  }

  /** Acts in each of these slots. */
  async step(of: readonly { readonly slot: number; readonly action: Action }[]): Promise<readonly Step[]> {
    const answers = await this.#process.ask(
      of.map(({ slot, action }) => ({ command: 'step', action, ...this.#in(slot) })),
    );
    return answers.map((answer) => new Answer(answer, this.#process, 'step').step());
  }

  /** An environment of one slot need not know the word. */
  #in(slot: number): { readonly slot?: number } {
    return this.facts.slots === 1 ? {} : { slot };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.close();
  }
}

/** An answer, read strictly: what is wrong with it is said by key. */
class Answer {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #process: EnvironmentProcess;
  readonly #to: string;

  constructor(answer: unknown, process: EnvironmentProcess, to: string) {
    this.#process = process;
    this.#to = to;
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
      this.#values = {};
      throw this.#wrong('is no object', answer, 'a JSON object');
    }
    this.#values = answer as Record<string, unknown>;
    const { error } = this.#values;
    if (error === undefined) return;
    throw process.refuse({
      code: 'environment-error',
      message: `the environment of the episodes answers "${to}" with an error`,
      found: excerpt(typeof error === 'string' ? error : JSON.stringify(error), 300),
      fix: 'Mend what it says, or the model that made it say so.',
    });
  }

  facts(): EnvironmentFacts {
    const { protocol, name, returns, slots = 1 } = this.#values;
    if (protocol !== protocolVersion) {
      throw this.#wrong('speaks another version of the protocol', protocol, `"protocol": ${protocolVersion}`);
    }
    if (name !== undefined && typeof name !== 'string') throw this.#wrong('has a name that is none', name, 'text');
    return {
      name: name ?? 'the environment',
      slots: isCount(slots) ? slots : this.#fail('has slots that are no number of them', slots, '"slots": 8'),
      action: this.#action(),
      ...(returns === undefined ? {} : { returns: this.#returns(returns) }),
    };
  }

  observation(): Observation {
    const given = this.#values['observation'];
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return this.#observed(given, 'observation');
    const entries = Object.entries(given).map(([key, value]): readonly [string, Observed] => [
      key,
      this.#observed(value, `observation.${excerpt(key, 40)}`),
    ]);
    return { byName: new Map(entries) };
  }

  step(): Step {
    const { reward, terminated, truncated = false, violations = [] } = this.#values;
    if (typeof reward !== 'number' || !Number.isFinite(reward)) {
      throw this.#wrong('has a reward that is no number', reward, '"reward": a finite number');
    }
    if (typeof terminated !== 'boolean')
      throw this.#wrong('does not say whether it ended', terminated, '"terminated": true or false');
    if (typeof truncated !== 'boolean') throw this.#wrong('has a "truncated" that is none', truncated, 'true or false');
    if (!Array.isArray(violations) || violations.some((each) => typeof each !== 'string')) {
      throw this.#wrong('has violations that are none', violations, '"violations": a list of texts');
    }
    return { observation: this.observation(), reward, terminated, truncated, violations };
  }

  #action(): ActionSpace {
    const action = this.#values['action'];
    const words = '"action": { "type": "discrete", "n": 2 } or { "type": "continuous", "shape": [1] }';
    if (typeof action !== 'object' || action === null)
      throw this.#wrong('does not say which actions there are', action, words);
    const { type, n, start = 0, shape, low, high } = action as Record<string, unknown>;
    if (type === 'discrete') {
      if (!isCount(n) || !Number.isSafeInteger(start))
        throw this.#wrong('does not say how many actions there are', action, words);
      return { type, n, start: Number(start) };
    }
    if (type !== 'continuous' || !Array.isArray(shape) || !shape.every(isCount)) {
      throw this.#wrong('does not say which actions there are', action, words);
    }
    const size = shape.reduce((product: number, dim: number) => product * dim, 1);
    const limits = (key: string, value: unknown) => {
      if (value === undefined) return {};
      const { values } = this.#observed(value, `action.${key}`);
      const each = values.length === 1 ? new Array<number>(size).fill(values[0] ?? 0) : values;
      if (each.length !== size)
        throw this.#wrong(`has ${key} of another size than its actions`, value, `${size} numbers, or one`);
      return { [key]: each };
    };
    return { type, shape, ...limits('low', low), ...limits('high', high) };
  }

  #returns(returns: unknown): readonly [number, number] {
    if (Array.isArray(returns) && returns.length === 2 && returns.every(Number.isFinite) && returns[0] < returns[1]) {
      return [returns[0], returns[1]];
    }
    throw this.#wrong('has returns that are none', returns, '"returns": [smallest, largest]');
  }

  #observed(given: unknown, what: string): Observed {
    const values: number[] = [];
    const shapeOf = (value: unknown): readonly number[] => {
      if (typeof value === 'boolean') values.push(Number(value));
      else if (typeof value === 'number' && Number.isFinite(value)) values.push(value);
      else if (Array.isArray(value)) {
        const [first, ...rest] = value.map(shapeOf);
        if (rest.some((each) => !isDeepStrictEqual(each, first))) {
          throw this.#wrong(`has a "${what}" whose rows differ in length`, given, 'an array as NumPy has them');
        }
        return [value.length, ...(first ?? [])];
      } else throw this.#wrong(`has no numbers in "${what}"`, value, 'a number, or an array of them');
      return [];
    };
    return flat(given) ?? { shape: shapeOf(given), values };
  }

  #fail(message: string, found: unknown, expected: string): never {
    throw this.#wrong(message, found, expected);
  }

  #wrong(message: string, found: unknown, expected: string): Error {
    return this.#process.refuse({
      code: 'environment-answer',
      message: `the answer of the episodes' environment to "${this.#to}" ${message}`,
      found: excerpt(found === undefined ? 'nothing' : JSON.stringify(found), 120),
      expected,
      fix: 'See environment-protocol.md beside the quality gate for what each answer holds.',
    });
  }
}

/** Most observations are a list of numbers, a hundred thousand times. */
function flat(given: unknown): Observed | undefined {
  if (!Array.isArray(given) || !given.every((value) => typeof value === 'number')) return undefined;
  return given.every(Number.isFinite) ? { values: given, shape: [given.length] } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
