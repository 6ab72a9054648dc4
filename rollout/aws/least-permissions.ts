import type { CanaryMetrics, CanaryTraffic } from '../../core/policy/index.ts';
import { awsPartition } from './region.ts';

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
  readonly region: string;
  /** Of Managed Prometheus: `ws-…`. Needed with `sigv4` only. */
  readonly workspace?: string;
}

/**
 * The least IAM policy that a canary of this policy needs: exactly the actions it calls, on exactly what it calls them on. `undefined`: it
 * calls nothing of AWS. No action and no resource is a pattern, but for `cloudwatch:GetMetricData`, which IAM cannot restrict to some
 * metrics ("Actions, resources, and condition keys for Amazon CloudWatch": no resource types); it is bound to the region.
 */
export function leastPermissions(
  { traffic, metrics }: { readonly traffic: CanaryTraffic; readonly metrics: CanaryMetrics },
  place: AccountPlace,
): PermissionPolicy | undefined {
  const statements = [...ofTraffic(traffic, place), ...ofMetrics(metrics, place)];
  return statements.length === 0 ? undefined : { Version: '2012-10-17', Statement: statements };
}

function ofTraffic(traffic: CanaryTraffic, place: AccountPlace): readonly PermissionStatement[] {
  if (traffic.provider !== 'sagemaker') return [];
  const arn = (service: string, rest: string): string =>
    `arn:${awsPartition(place.region)}:${service}:${place.region}:${place.account}:${rest}`;
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

function ofMetrics(
  metrics: CanaryMetrics,
  { account, region, workspace }: AccountPlace,
): readonly PermissionStatement[] {
  if (metrics.source === 'cloudwatch') {
    return [
      {
        ...allow('Metrics', ['cloudwatch:GetMetricData'], '*'),
        Condition: { StringEquals: { 'aws:RequestedRegion': region } },
      },
    ];
  }
  if (metrics.source !== 'prometheus' || metrics.sigv4 === undefined) return [];
  const resource = `arn:${awsPartition(region)}:aps:${metrics.sigv4.region}:${account}:workspace/${workspace ?? 'ws-NAME-IT'}`;
  return [allow('Prometheus', ['aps:QueryMetrics'], resource)];
}

function allow(Sid: string, Action: readonly string[], Resource: string | readonly string[]): PermissionStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
}
