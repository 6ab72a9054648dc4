import type { CanaryMetrics, CanaryTraffic } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { awsPartition, awsRegion } from './region.ts';

/** One statement of an IAM policy, as JSON. */
export interface PermissionStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

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
 * The least IAM policy that a canary of this policy needs: exactly the actions it calls, on exactly what it calls them on. `undefined`: it
 * calls nothing of AWS. No action and no resource is a pattern, but for `cloudwatch:GetMetricData`, which IAM cannot restrict to some
 * metrics ("Actions, resources, and condition keys for Amazon CloudWatch": no resource types); it is bound to the region.
 *
 * Throws an `InputError` for what is no account, for no region, and for Managed Prometheus without its workspace.
 */
export function leastPermissions(canary: Canary, place: AccountPlace): PermissionPolicy | undefined {
  const { traffic, metrics } = canary;
  const signed = metrics.source === 'prometheus' && metrics.sigv4 !== undefined;
  if (traffic.provider !== 'sagemaker' && metrics.source !== 'cloudwatch' && !signed) return undefined;
  if (!/^\d{12}$/.test(place.account)) throw noAccount(place.account);
  return { Version: '2012-10-17', Statement: [...ofTraffic(traffic, place), ...ofMetrics(canary, place)] };
}

function ofTraffic(traffic: CanaryTraffic, { account, region: given }: AccountPlace): readonly PermissionStatement[] {
  if (traffic.provider !== 'sagemaker') return [];
  const region = awsRegion(given ?? traffic.region);
  const arn = (service: string, rest: string): string =>
    `arn:${awsPartition(region)}:${service}:${region}:${account}:${rest}`;
  const endpoint = arn('sagemaker', `endpoint/${traffic.endpoint.toLowerCase()}`);
  const configurations = [traffic.baseline, traffic.canary].map((name) =>
    arn('sagemaker', `endpoint-config/${name.toLowerCase()}`),
  );
  const abort = traffic.deployment?.abort_alarm;
  return [
    allow('Endpoint', ['sagemaker:DescribeEndpoint', 'sagemaker:ListTags'], endpoint),
    {
      ...allow('Record', ['sagemaker:AddTags', 'sagemaker:DeleteTags'], endpoint),
      // Other tags may decide who may do what.
      Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': ['sluice:rollout', 'sluice:rollout:*'] } },
    },
    ...(traffic.mode === 'variant-weights'
      ? [allow('Weights', ['sagemaker:UpdateEndpointWeightsAndCapacities'], endpoint)]
      : [allow('Deployment', ['sagemaker:UpdateEndpoint'], [endpoint, ...configurations])]),
    ...(abort === undefined ? [] : [allow('Abort', ['cloudwatch:SetAlarmState'], arn('cloudwatch', `alarm:${abort}`))]),
  ];
}

function ofMetrics({ traffic, metrics }: Canary, place: AccountPlace): readonly PermissionStatement[] {
  if (metrics.source === 'cloudwatch') {
    const ofTraffic = traffic.provider === 'sagemaker' ? traffic.region : undefined;
    return [
      {
        ...allow('Metrics', ['cloudwatch:GetMetricData'], '*'),
        Condition: {
          StringEquals: { 'aws:RequestedRegion': awsRegion(place.region ?? metrics.region ?? ofTraffic) },
        },
      },
    ];
  }
  if (metrics.source !== 'prometheus' || metrics.sigv4 === undefined) return [];
  const { region } = metrics.sigv4;
  if (place.workspace === undefined || !/^[\w-]+$/.test(place.workspace)) throw noWorkspace();
  const resource = `arn:${awsPartition(region)}:aps:${region}:${place.account}:workspace/${place.workspace}`;
  return [allow('Prometheus', ['aps:QueryMetrics'], resource)];
}

function allow(Sid: string, Action: readonly string[], Resource: string | readonly string[]): PermissionStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
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
