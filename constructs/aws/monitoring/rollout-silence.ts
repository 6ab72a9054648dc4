import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { awsMetrics } from '../../../core/telemetry/index.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { EndpointTelemetry } from './endpoint-telemetry.ts';
import { metricOf } from './metric-of.ts';

export interface RolloutSilenceProps {
  readonly telemetry: EndpointTelemetry;
  readonly endpointName: string;
  /** After the last news of a deployment by SageMaker itself. */
  readonly deploymentLasts: Duration;
  /** Of the log of deployments. */
  readonly encryptionKey: IKey;
}

/**
 * An alarm that is on while a rollout is under way, for composite alarms to be silent meanwhile: the rollout looks at the same numbers more
 * closely and takes itself back. Two signs: more than one variant takes requests (a rollout by weights), and SageMaker tells of a guarded
 * deployment. Autoscaling is none: its events have no pending endpoint configuration.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html#eventbridge-deployment-state
 */
export class RolloutSilence extends Construct {
  readonly alarm: IAlarm;
  /** Every news of a deployment of the endpoint, kept for a year. */
  readonly deployments: EncryptedLogGroup;

  constructor(scope: Construct, id: string, props: RolloutSilenceProps) {
    super(scope, id);
    const { telemetry, deploymentLasts } = props;
    const rule = this.#rule(props.endpointName);
    this.deployments = new EncryptedLogGroup(this, 'Deployments', {
      // As EventBridge's console names them.
      prefix: '/aws/events/',
      encryptionKey: props.encryptionKey,
      writer: { service: 'events.amazonaws.com', sourceArn: rule.attrArn },
    });
    rule.targets = [{ id: 'Log', arn: this.deployments.arn }];
    const minutes = Math.ceil(deploymentLasts.toMinutes());
    const deployment = new Alarm(this, 'Deployment', {
      alarmDescription: `A guarded deployment told of itself in the last ${minutes} minutes.`,
      metric: metricOf(awsMetrics.eventsMatched, { RuleName: rule.ref }, { period: Duration.minutes(1) }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: minutes,
      datapointsToAlarm: 1,
      // The rule counts nothing where no event came.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (telemetry.variants.length === 1) {
      this.alarm = deployment as IAlarm;
      return;
    }
    const weights = new Alarm(this, 'Weights', {
      alarmDescription: 'More than one variant of the endpoint takes requests.',
      metric: telemetry.shared({ period: Duration.minutes(1) }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 5,
      datapointsToAlarm: 1,
      // Without requests nobody sees a rollout, nor errors.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.alarm = new CompositeAlarm(this, 'Rollout', {
      alarmDescription: 'A rollout of the endpoint is under way.',
      alarmRule: AlarmRule.anyOf(
        AlarmRule.fromAlarm(deployment as IAlarm, AlarmState.ALARM),
        AlarmRule.fromAlarm(weights as IAlarm, AlarmState.ALARM),
      ),
    }) as IAlarm;
  }

  #rule(endpointName: string): CfnRule {
    return new CfnRule(this, 'Rule', {
      description: 'Guarded deployments of one endpoint',
      eventPattern: {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Endpoint Deployment State Change'],
        detail: {
          EndpointName: [endpointName],
          EndpointStatus: ['UPDATING'],
          PendingDeploymentSummary: { EndpointConfigName: [{ exists: true }] },
        },
      },
    });
  }
}
