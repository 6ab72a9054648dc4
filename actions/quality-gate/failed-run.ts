import type { EffectivePolicy } from '../../core/policy/index.ts';
import { describeProblem, ModelError, type SluiceError } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { boundedMetrics, namedMetric, unjudgedMetric } from './metric-gate.ts';

/** What a model did that ended its own process, or that its own graph cannot do: no reason to leave the rest unjudged. */
const ownFaults: ReadonlySet<string> = new Set([
  'run-failed',
  'model-too-slow',
  'model-exhausts-memory',
  'output-too-large',
  'model-crashed',
]);

/** Whether running the candidate on the rows is what failed. */
export function isFailedRun(error: unknown): error is ModelError {
  return error instanceof ModelError && error.problems.every(({ code }) => ownFaults.has(code));
}

/** Everything that the rows would have judged, as errors that say how the run ended. */
export function failedRunChecks(policy: EffectivePolicy, error: SluiceError): readonly Check[] {
  const [problem] = error.problems;
  const why = describeProblem(problem).replace(/\.$/, '');
  return [
    {
      id: 'gate/evaluation/run',
      title: 'the model runs on the evaluation rows',
      section: 'gate',
      status: 'error',
      message: `${why}.`,
      place: policy.placeOf(['model', 'path']),
    },
    ...boundedMetrics({ policy }).flatMap(({ name, bound }) =>
      unjudgedMetric(namedMetric(name), bound, { policy }, 'The model did not run on the evaluation rows'),
    ),
  ];
}
