export { ConstructError, type ConstructProblem, Findings, warningsOf } from '../problem/index.ts';
