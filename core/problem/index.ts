export { describePlace, describeProblem } from './describe-problem.ts';
export { codesOf, deepestMessage } from './error-causes.ts';
export { DataError, InputError, ModelError, NativeError, PeerError, PolicyError, SluiceError } from './errors.ts';
export type { Place, Problem } from './problem.ts';
