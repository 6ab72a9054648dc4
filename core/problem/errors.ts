import { describeProblem } from './describe-problem.ts';
import type { Problem } from './problem.ts';

/**
 * What Sluice throws when it cannot do its work (exit code 1). A check that fails is a result, never an error.
 * Carries every problem found at once, so that a user mends them in one go.
 */
export class SluiceError extends Error {
  // A literal in every class: a bundler that minifies renames classes, and programs match on this name.
  override readonly name: string = 'SluiceError';
  readonly problems: readonly [Problem, ...Problem[]];

  constructor(problems: Problem | readonly [Problem, ...Problem[]], options?: { readonly cause?: unknown }) {
    const all: readonly [Problem, ...Problem[]] = 'code' in problems ? [problems] : problems;
    super(all.map(describeProblem).join('\n'), options);
    this.problems = all;
  }
}

/** The policy cannot be read or contradicts itself. */
export class PolicyError extends SluiceError {
  override readonly name = 'PolicyError';
}
/** An action's input or a command's flag is wrong. */
export class InputError extends SluiceError {
  override readonly name = 'InputError';
}
/** A data file cannot be read or lacks what the policy names. */
export class DataError extends SluiceError {
  override readonly name = 'DataError';
}
/** A model file cannot be read, is unsafe, or does not fit the data. */
export class ModelError extends SluiceError {
  override readonly name = 'ModelError';
}
/** ONNX Runtime or DuckDB cannot be brought to this machine. */
export class NativeError extends SluiceError {
  override readonly name = 'NativeError';
}
/** Another system (git, the GitHub API, a registry) refused or did not answer. */
export class PeerError extends SluiceError {
  override readonly name = 'PeerError';
}
