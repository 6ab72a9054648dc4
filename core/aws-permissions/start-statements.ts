import { allow, type PermissionStatement } from './permission-statement.ts';

/**
 * What a job needs to start a state machine of Step Functions, wait for it and call it off. `executionsArn` ends with a star: an execution has its
 * name only when it is started.
 */
export function startStatements(stateMachineArn: string, executionsArn: string): readonly PermissionStatement[] {
  return [
    allow('Start', ['states:StartExecution'], stateMachineArn),
    allow('Watch', ['states:DescribeExecution', 'states:StopExecution'], executionsArn),
  ];
}
