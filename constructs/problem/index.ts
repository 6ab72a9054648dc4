/** What is wrong with the props of a construct, told all at once. */
import type { IConstruct } from 'constructs';
import { describeProblem, type Problem, SluiceError } from '../../core/problem/index.ts';

/** Props of a construct that contradict each other or that no cluster would take. Holds all problems of the construct at once. */
export class ConstructError extends SluiceError {
  override readonly name = 'ConstructError';
}

/** What is wrong, without the place: that is the construct. `message` names the props, and why they conflict. */
export type ConstructProblem = Omit<Problem, 'place'>;

const warningKey = 'sluice.dev/warning';

/**
 * Gathers the problems of one construct while its props are read, so that all are told at once:
 * `OnnxDeployment "shop/ranker": shared memory 16Gi exceeds the memory limit 8Gi; /dev/shm counts against it. Raise ...`
 */
export class Findings {
  readonly #construct: IConstruct;
  readonly #kind: string;
  readonly #problems: Problem[] = [];

  /** `kind`: the construct's class as users write it. A literal, since bundlers rename classes. */
  constructor(construct: IConstruct, kind: string) {
    this.#construct = construct;
    this.#kind = kind;
  }

  add(...problems: readonly ConstructProblem[]): void {
    for (const problem of problems) this.#problems.push(this.#placed(problem));
  }

  /** Adds the problem where the condition does not hold. */
  demand(condition: boolean, problem: () => ConstructProblem): void {
    if (!condition) this.add(problem());
  }

  /** Something that works and that a careful reader would change: kept with the construct (`warningsOf`) and told once on standard error. */
  warn(problem: ConstructProblem): void {
    const placed = this.#placed(problem);
    this.#construct.node.addMetadata(warningKey, placed);
    process.emitWarning(describeProblem(placed), { type: 'SluiceWarning', code: problem.code });
  }

  /** @throws ConstructError with every problem that was added, if any was */
  throwIfAny(): void {
    const [first, ...rest] = this.#problems;
    if (first !== undefined) throw new ConstructError([first, ...rest]);
  }

  #placed(problem: ConstructProblem): Problem {
    return { ...problem, place: { key: `${this.#kind} "${this.#construct.node.path}"` } };
  }
}

/** Every warning of a construct and all below it, in the order of the tree: for a test or a synth script that wants none. */
export function warningsOf(scope: IConstruct): readonly Problem[] {
  return scope.node
    .findAll()
    .flatMap(({ node }) => node.metadata.filter(({ type }) => type === warningKey).map(({ data }) => data as Problem));
}
