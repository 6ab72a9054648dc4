import { allow, type PermissionStatement } from './permission-statement.ts';

/** What a smoke test, a gate on an endpoint, or a caller needs of an endpoint of SageMaker: to see whether it is in service, and to ask it. */
export function invokeStatements(endpointArn: string): readonly PermissionStatement[] {
  return [allow('Invoke', ['sagemaker:DescribeEndpoint', 'sagemaker:InvokeEndpoint'], endpointArn)];
}
