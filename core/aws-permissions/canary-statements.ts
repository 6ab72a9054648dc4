import { allow, type PermissionStatement } from './permission-statement.ts';

/** What a canary moves and asks, by ARN: real ones, or the tokens of the CDK. What is left out is not touched. */
export interface CanaryResources {
  /** The endpoint of SageMaker whose traffic is moved. SageMaker writes names in ARNs in small letters. */
  readonly endpointArn?: string | undefined;
  /**
   * For deployment guardrails: the configurations that the endpoint may be updated to, baseline and canary. Without them the weights of two
   * variants are moved.
   */
  readonly endpointConfigArns?: readonly string[] | undefined;
  /** The alarm by which a guarded deployment is called back. */
  readonly abortAlarmArn?: string | undefined;
  /** Where CloudWatch is asked. */
  readonly cloudwatchRegion?: string | undefined;
  /** The workspace of Managed Prometheus that is asked. */
  readonly prometheusWorkspaceArn?: string | undefined;
}

/**
 * The least statements that a canary needs: exactly the actions it calls, on exactly what it calls them on. No action and no resource is a
 * pattern, but for `cloudwatch:GetMetricData`, which IAM cannot restrict to some metrics ("Actions, resources, and condition keys for Amazon
 * CloudWatch": no resource types); it is bound to the region.
 */
export function canaryStatements(resources: CanaryResources): readonly PermissionStatement[] {
  const { cloudwatchRegion, prometheusWorkspaceArn } = resources;
  return [
    ...ofTraffic(resources),
    ...(cloudwatchRegion === undefined
      ? []
      : [
          {
            ...allow('Metrics', ['cloudwatch:GetMetricData'], '*'),
            Condition: { StringEquals: { 'aws:RequestedRegion': cloudwatchRegion } },
          },
        ]),
    ...(prometheusWorkspaceArn === undefined
      ? []
      : [allow('Prometheus', ['aps:QueryMetrics'], prometheusWorkspaceArn)]),
  ];
}

function ofTraffic({
  endpointArn,
  endpointConfigArns,
  abortAlarmArn,
}: CanaryResources): readonly PermissionStatement[] {
  if (endpointArn === undefined) return [];
  return [
    allow('Endpoint', ['sagemaker:DescribeEndpoint', 'sagemaker:ListTags'], endpointArn),
    {
      ...allow('Record', ['sagemaker:AddTags', 'sagemaker:DeleteTags'], endpointArn),
      // Other tags may decide who may do what.
      Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': ['sluice:rollout', 'sluice:rollout:*'] } },
    },
    ...(endpointConfigArns === undefined
      ? [allow('Weights', ['sagemaker:UpdateEndpointWeightsAndCapacities'], endpointArn)]
      : [allow('Deployment', ['sagemaker:UpdateEndpoint'], [endpointArn, ...endpointConfigArns])]),
    ...(abortAlarmArn === undefined ? [] : [allow('Abort', ['cloudwatch:SetAlarmState'], abortAlarmArn)]),
  ];
}
