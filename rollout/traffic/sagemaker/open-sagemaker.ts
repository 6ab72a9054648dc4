import { type CanaryTraffic, durationMs } from '../../../core/policy/index.ts';
import { type AwsCredentialSource, standardCredentials } from '../../aws/credentials.ts';
import { awsRegion } from '../../aws/region.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { openGuardrails } from './guardrails.ts';
import { openVariantWeights } from './variant-weights.ts';

export type SagemakerTraffic = Extract<CanaryTraffic, { provider: 'sagemaker' }>;

/** Opens the endpoint that the policy names; nothing is asked yet. Throws an `InputError` where no region is named. */
export function openSagemaker(
  { mode, region, endpoint, baseline, canary, deployment }: SagemakerTraffic,
  credentials: AwsCredentialSource = standardCredentials(),
): TrafficProvider {
  const common = { region: awsRegion(region), credentials, endpointName: endpoint, baseline, canary };
  if (mode === 'variant-weights') return openVariantWeights(common);
  if (deployment === undefined) throw new TypeError('the policy was not checked: guardrails without a deployment');
  const [first = '', ...others] = deployment.alarms;
  return openGuardrails({
    ...common,
    deployment: {
      kind: deployment.kind,
      size: deployment.size,
      bake: secondsOf(deployment.bake) ?? 0,
      terminationWait: secondsOf(deployment.termination_wait),
      maxTime: secondsOf(deployment.max_time),
      alarms: [first, ...others],
      abortAlarm: deployment.abort_alarm,
      instances: deployment.instances,
    },
  });
}

function secondsOf(text: string | undefined): number | undefined {
  const time = durationMs(text);
  return time === undefined ? undefined : Math.round(time / 1000);
}
