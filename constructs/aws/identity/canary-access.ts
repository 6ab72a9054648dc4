import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CanaryResources } from '../../../core/aws-permissions/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';

/** The canaries that a role may run, by the names that `canary` of `sluice.yaml` has. All are of the role's account and region. */
export interface CanaryAccess {
  /** The endpoint of SageMaker whose traffic is moved. @default none: traffic is moved outside of AWS */
  readonly endpointName?: string;
  /**
   * For deployment guardrails: the configurations that the endpoint may be updated to, each by its name or as a prefix with a star at its end
   * (`churn-*`), since a release makes a new one. @default none: the weights of two variants are moved
   */
  readonly endpointConfigNames?: readonly [string, ...string[]];
  /** The alarm by which a guarded deployment is called back: `deployment.abort_alarm`. @default none */
  readonly abortAlarmName?: string;
  /** Whether CloudWatch is asked how both arms do: `metrics.source`. @default true with an endpoint */
  readonly cloudWatch?: boolean;
  /** The workspace of Managed Prometheus that is asked: `ws-…`. @default none */
  readonly prometheusWorkspaceId?: string;
}

/** What the names stand for in the account and region of a stack. */
export function canaryResources(scope: Construct, canary: CanaryAccess): CanaryResources {
  const { endpointName, endpointConfigNames, abortAlarmName, prometheusWorkspaceId } = canary;
  const stack = Stack.of(scope);
  const arn = (service: string, resource: string): string =>
    `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${resource}`;
  return {
    endpointArn: endpointName === undefined ? undefined : endpointArn(scope, endpointName),
    endpointConfigArns: endpointConfigNames?.map((name) => arn('sagemaker', `endpoint-config/${small(name)}`)),
    abortAlarmArn: abortAlarmName === undefined ? undefined : arn('cloudwatch', `alarm:${abortAlarmName}`),
    cloudwatchRegion: (canary.cloudWatch ?? endpointName !== undefined) ? stack.region : undefined,
    prometheusWorkspaceArn:
      prometheusWorkspaceId === undefined ? undefined : arn('aps', `workspace/${prometheusWorkspaceId}`),
  };
}

/** Of SageMaker, in the stack's account and region. */
export function endpointArn(scope: Construct, name: string): string {
  const { partition, region, account } = Stack.of(scope);
  return `arn:${partition}:sagemaker:${region}:${account}:endpoint/${small(name)}`;
}

/** As SageMaker writes a name into an ARN. A token is not a name yet. */
function small(name: string): string {
  return Token.isUnresolved(name) ? name : name.toLowerCase();
}

const awsName = /^[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}$/;
const letters = 'up to 63 letters, digits and hyphens';

/** Names that would allow nothing, or more than they say. */
export function nameProblems(
  prop: string,
  found: string | undefined,
  form: RegExp = awsName,
  expected: string = letters,
): readonly ConstructProblem[] {
  if (found === undefined || Token.isUnresolved(found) || form.test(found)) return [];
  return [
    {
      code: 'bad-name',
      message: `${prop} is no name, so that the role would be allowed nothing or too much`,
      found,
      expected,
      fix: 'Write the name as AWS shows it.',
    },
  ];
}

export function canaryProblems(canary: CanaryAccess): readonly ConstructProblem[] {
  const { endpointName, endpointConfigNames = [], abortAlarmName, cloudWatch, prometheusWorkspaceId } = canary;
  const problems: ConstructProblem[] = [...nameProblems('endpointName', endpointName)];
  for (const each of endpointConfigNames) {
    // At least three letters before the star: one alone would be every configuration of the account.
    const form = each.endsWith('*') ? /^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}\*$/ : awsName;
    problems.push(
      ...nameProblems('endpointConfigNames', each, form, `${letters}, or a prefix of three or more and a star`),
    );
  }
  problems.push(
    ...nameProblems('abortAlarmName', abortAlarmName, /^[^*?]{1,255}$/, 'the name of one alarm'),
    ...nameProblems('prometheusWorkspaceId', prometheusWorkspaceId, /^[\w-]+$/, 'an identifier such as ws-1234'),
  );
  if (endpointName === undefined && (endpointConfigNames.length > 0 || abortAlarmName !== undefined)) {
    problems.push({
      code: 'no-endpoint',
      message: 'endpointConfigNames and abortAlarmName are of an endpoint, and endpointName is missing',
      fix: 'Name the endpoint that is updated.',
    });
  }
  if (abortAlarmName !== undefined && endpointName !== undefined && endpointConfigNames.length === 0) {
    problems.push({
      code: 'alarm-without-guardrails',
      message: 'abortAlarmName calls back a guarded deployment, and endpointConfigNames names none',
      fix: 'Name the configurations, or leave abortAlarmName out.',
    });
  }
  if (endpointName === undefined && cloudWatch !== true && prometheusWorkspaceId === undefined) {
    problems.push({
      code: 'nothing-granted',
      message: 'the canary names nothing of AWS, so that nothing would be granted',
      fix: 'Name endpointName, cloudWatch or prometheusWorkspaceId, or leave the call out.',
    });
  }
  return problems;
}
