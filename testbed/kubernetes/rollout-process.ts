/** Runs the rollout that its argument tells, as JSON, and prints how it ended, as JSON: a process that a test may kill. */
import { SluiceError } from '../../core/problem/index.ts';
import { runTrial, type TrialRollout } from './trial-rollout.ts';

try {
  const { outcome, before } = await runTrial(JSON.parse(process.argv[2] ?? '') as TrialRollout);
  console.log(JSON.stringify({ outcome, before }));
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  console.log(JSON.stringify({ problem: error.problems[0] }));
}
