import { type CanaryResources, canaryStatements, type PermissionStatement } from '../../core/aws-permissions/index.ts';
import type { CanaryMetrics, CanaryTraffic } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { awsPartition, awsRegion } from './region.ts';

export interface PermissionPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PermissionStatement[];
}

export interface AccountPlace {
  /** Twelve digits. */
  readonly account: string;
  /** @default the policy's, else AWS_REGION */
  readonly region?: string | undefined;
  /** Of Managed Prometheus: `ws-…`. Needed with `sigv4` only. */
  readonly workspace?: string | undefined;
}

type Canary = { readonly traffic: CanaryTraffic; readonly metrics: CanaryMetrics };

/**
 * The least IAM policy that a canary of this policy needs (`core/aws-permissions` has the statements). `undefined`: it calls nothing of AWS.
 *
 * Throws an `InputError` for what is no account, for no region, and for Managed Prometheus without its workspace.
 */
export function leastPermissions(canary: Canary, place: AccountPlace): PermissionPolicy | undefined {
  const { traffic, metrics } = canary;
  const signed = metrics.source === 'prometheus' && metrics.sigv4 !== undefined;
  if (traffic.provider !== 'sagemaker' && metrics.source !== 'cloudwatch' && !signed) return undefined;
  if (!/^\d{12}$/.test(place.account)) throw noAccount(place.account);
  return {
    Version: '2012-10-17',
    Statement: canaryStatements({ ...resourcesOfTraffic(traffic, place), ...resourcesOfMetrics(canary, place) }),
  };
}

function resourcesOfTraffic(traffic: CanaryTraffic, { account, region: given }: AccountPlace): CanaryResources {
  if (traffic.provider !== 'sagemaker') return {};
  const region = awsRegion(given ?? traffic.region);
  const arn = (service: string, rest: string): string =>
    `arn:${awsPartition(region)}:${service}:${region}:${account}:${rest}`;
  const configurations = [traffic.baseline, traffic.canary].map((name) =>
    arn('sagemaker', `endpoint-config/${name.toLowerCase()}`),
  );
  const abort = traffic.deployment?.abort_alarm;
  return {
    endpointArn: arn('sagemaker', `endpoint/${traffic.endpoint.toLowerCase()}`),
    endpointConfigArns: traffic.mode === 'variant-weights' ? undefined : configurations,
    abortAlarmArn: abort === undefined ? undefined : arn('cloudwatch', `alarm:${abort}`),
  };
}

function resourcesOfMetrics({ traffic, metrics }: Canary, place: AccountPlace): CanaryResources {
  if (metrics.source === 'cloudwatch') {
    const ofTraffic = traffic.provider === 'sagemaker' ? traffic.region : undefined;
    return { cloudwatchRegion: awsRegion(place.region ?? metrics.region ?? ofTraffic) };
  }
  if (metrics.source !== 'prometheus' || metrics.sigv4 === undefined) return {};
  const { region } = metrics.sigv4;
  if (place.workspace === undefined || !/^[\w-]+$/.test(place.workspace)) throw noWorkspace();
  return {
    prometheusWorkspaceArn: `arn:${awsPartition(region)}:aps:${region}:${place.account}:workspace/${place.workspace}`,
  };
}

function noAccount(found: string): InputError {
  return new InputError({
    code: 'bad-account',
    message: 'the AWS account is none',
    found: excerpt(found, 40),
    expected: 'twelve digits',
    fix: 'Write it without hyphens: 111122223333.',
  });
}

function noWorkspace(): InputError {
  return new InputError({
    code: 'no-workspace',
    message: 'nothing says which workspace of Managed Prometheus may be asked',
    fix: 'Name it, as its ARN does: --workspace ws-1234.',
  });
}
