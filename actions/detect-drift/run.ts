/**
 * How far data has moved from a reference, by a policy.
 * @module
 */
import { openEngine } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import { PolicyError } from '../../core/problem/index.ts';
import type { Report } from '../../core/report/index.ts';
import { type GateInputs, gateReport, loadEffectivePolicy, publishReport, repositoryRoot } from '../../github/index.ts';
import { detectDrift } from './detect.ts';
import { type MetricsGoal, metricsText, tellMetrics } from './drift-metrics.ts';
import { foldersOf, type GivenFiles, namesBothSides } from './open-side.ts';

export { type DriftFound, type DriftToDetect, detectDrift } from './detect.ts';
export { type GivenFiles, namesBothSides };

export interface DetectDriftInputs extends GateInputs {
  /** Take the place of the policy's files; relative to the working directory. */
  readonly given?: GivenFiles;
  /** Where to tell the numbers to Prometheus. @default nowhere */
  readonly metrics?: MetricsGoal;
}

/** What a run of the action or the command is told beside what every gate is. */
export function driftInputsFrom(gate: GateInputs, read: (name: string) => string): DetectDriftInputs {
  const file = (name: string) => {
    const given = read(name).trim();
    return given === '' ? {} : { [name]: given };
  };
  return { ...gate, given: { ...file('reference'), ...file('current') } };
}

/** The drift check alone: reads the policy, compares, reports and publishes. */
export async function run(inputs: DetectDriftInputs, host: Host): Promise<Report> {
  const gate = await host.group('Read the policy', () => loadEffectivePolicy(inputs, host));
  const { policy, directory, event } = gate;
  if (policy.policy.drift === undefined) {
    throw new PolicyError({
      code: 'no-drift',
      message: 'the policy says nothing of drift',
      place: { file: policy.file },
      fix: 'Add "drift: { reference: data/train.parquet, current: data/this-week.parquet }", or "drift: {}" and name the files when it runs.',
    });
  }
  const given = inputs.given ?? {};
  const directories = [repositoryRoot(directory), ...foldersOf(given, inputs.directory)];
  await using engine = await openEngine({ host, directories });
  const found = await host.group('Compare the data', () =>
    detectDrift({ policy, directory, engine, host, given, workingDirectory: inputs.directory }),
  );
  const report = gateReport(gate, found, inputs);
  host.output('drift', found.drift);
  host.output('drifted-columns', JSON.stringify(found.driftedColumns));
  await publishReport(report, { ...inputs, part: 'drift', event }, host);
  if (inputs.metrics !== undefined) {
    const text = metricsText(found.distances, inputs.metrics, Math.floor(Date.now() / 1000));
    await tellMetrics(text, inputs.metrics, inputs.directory);
  }
  return report;
}
