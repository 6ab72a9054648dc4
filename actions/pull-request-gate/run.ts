import { openEngine } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { Report } from '../../core/report/index.ts';
import {
  type GateInputs,
  gateReport,
  loadEffectivePolicy,
  publishReport,
  repositoryRoot,
  todayOf,
} from '../../github/index.ts';
import { detectDrift, namesBothSides } from '../detect-drift/run.ts';
import { judgeModel } from '../quality-gate/run.ts';
import { validateData } from '../validate-data/run.ts';
import { joined } from './joined.ts';
import { phase } from './phase.ts';

export type PullRequestGateInputs = GateInputs;

/**
 * The pull-request gate: the stricter of the base's and the pull request's policy, held against the data, the model and how far the data has drifted; reported
 * and published. A data file or a model that cannot be judged is a check with status `error` in the report, beside everything
 * that could be; a policy, a base or an engine that cannot be had is thrown (`SluiceError`), since nothing can be judged.
 */
export async function run(inputs: PullRequestGateInputs, host: Host): Promise<Report> {
  const gate = await host.group('Read the policy', () => loadEffectivePolicy(inputs, host));
  const { policy, directory, base, event } = gate;
  await using engine = await openEngine({ host, directories: [repositoryRoot(directory)], memoryLimit: '1GB' });

  const data = await phase('data', policy.policy.data !== undefined, () =>
    host.group('Validate the data', () => validateData({ policy, directory, engine, host, today: todayOf(inputs) })),
  );
  const model = await phase('gate', policy.policy.gates !== undefined, () =>
    host.group('Judge the model', () =>
      judgeModel({ policy, directory, engine, host, ...(base === undefined ? {} : { base }) }),
    ),
  );

  const { drift: demanded } = policy.policy;
  const drift = await phase('drift', demanded !== undefined && namesBothSides(demanded), () =>
    host.group('Compare the data', () => detectDrift({ policy, directory, engine, host })),
  );

  const report = gateReport(gate, joined(joined(data, model), drift), inputs);
  await publishReport(report, { ...inputs, event }, host);
  return report;
}
