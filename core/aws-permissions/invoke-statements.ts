import { allow, type PermissionStatement } from './permission-statement.ts';

/** Whether an endpoint answers a request itself, or puts its answer on S3 later. */
export type EndpointAnswers = 'at once' | 'asynchronously';

/** What a smoke test, a gate on an endpoint, or a caller needs of an endpoint of SageMaker: to see whether it is in service, and to ask it. */
export function invokeStatements(
  endpointArn: string,
  answers: EndpointAnswers = 'at once',
): readonly PermissionStatement[] {
  const invoke = answers === 'at once' ? 'sagemaker:InvokeEndpoint' : 'sagemaker:InvokeEndpointAsync';
  return [allow('Invoke', ['sagemaker:DescribeEndpoint', invoke], endpointArn)];
}
