import type { Exemption } from '../linters/exemption.ts';

/** Every rule of a linter that a template here does not keep, and why. */
export const templateExemptions: readonly Exemption[] = [
  {
    rules: ['checkov CKV_AWS_18', 'cfn-guard CT.S3.PR.2'],
    objects: ['AWS::S3::Bucket *AccessLogs'],
    reason: 'The bucket that access logs are written to: its own would be written about writing them, for ever.',
  },
  {
    rules: ['cfn-guard CT.S3.PR.10'],
    objects: ['AWS::S3::Bucket *AccessLogs'],
    reason:
      "What S3 writes access logs to takes no key of KMS (S3 user guide, server access logging): S3's own encryption.",
  },
  {
    rules: ['cfn-guard CT.S3.PR.9'],
    objects: ['AWS::S3::Bucket *'],
    reason:
      'A lock holds for good, and against the account itself: a choice of the user (`objectLock`), which versions of a model need not be.',
  },
  {
    rules: ['cfn-guard CT.S3.PR.4'],
    objects: ['AWS::S3::Bucket *'],
    reason:
      'Nothing here waits for objects: releases are told of by what publishes them. Notifications nobody reads help nobody.',
  },
  {
    rules: ['cfn-guard CT.KMS.PR.3'],
    objects: ['AWS::KMS::Key *'],
    reason:
      "Who may hand on the use of a key is said where a role gets kms:CreateGrant (golden/permissions names each). A denial in the key would also bind roles of the account's own that the construct knows nothing of.",
  },
  {
    rules: ['cfn-lint W3005'],
    objects: ['AWS::StepFunctions::StateMachine *'],
    reason:
      "The CDK's own state machine waits for its role and the role's policy, of which the role is said twice. It does no harm.",
  },
  {
    rules: ['cfn-guard CT.CLOUDWATCH.PR.1'],
    objects: ['AWS::CloudWatch::Alarm *Alarms*'],
    reason: 'Parts of a composite alarm, which acts for all of them at once.',
  },
  {
    rules: ['cfn-guard CT.CLOUDWATCH.PR.1'],
    objects: ['AWS::CloudWatch::Alarm *Rollback*', 'AWS::CloudWatch::Alarm *Abort'],
    reason:
      "Alarms of an endpoint's deployments: SageMaker reads their state and takes the deployment back, which is no action of the alarm. Whom else they tell is a prop (`alarms.topic`).",
  },
  {
    rules: ['checkov CKV_AWS_370'],
    objects: ['AWS::SageMaker::Model Rarely*', 'AWS::SageMaker::Model Endpointrarely*'],
    reason:
      'A serverless endpoint takes no network isolation (SageMaker developer guide, serverless-endpoints, feature exclusions).',
  },
  {
    rules: ['cfn-guard CT.EC2.PR.11'],
    objects: ['AWS::EC2::Subnet NetworkPublicSubnet*'],
    reason:
      "The gallery's own network, as the CDK makes one: its gateway to the internet stands in these subnets, and no node of a cluster does.",
  },
  {
    rules: ['cfn-guard CT.EC2.PR.9'],
    objects: ['AWS::EC2::LaunchTemplate *Template'],
    reason:
      'Nodes are in private subnets, which give no public address; EC2 takes no word on it for machines with several network cards.',
  },
  {
    rules: ['cfn-guard CT.SQS.PR.1', 'checkov CKV_AWS_27'],
    objects: ['AWS::SQS::Queue KarpenterInterruptions'],
    reason:
      "Words that are out of date after minutes: what could not be read then is worth nothing later. The queue is encrypted by SQS's own key, which EventBridge can write by.",
  },
  {
    rules: ['cfn-guard CT.LAMBDA.PR.3', 'checkov CKV_AWS_115', 'checkov CKV_AWS_116', 'checkov CKV_AWS_117'],
    objects: ['AWS::Lambda::Function GrafanaImportProgram'],
    reason:
      'Run by CloudFormation during a deployment alone, which waits for what they answer: no queue for letters nobody reads, nothing in a network to reach, no share of the account to keep free.',
  },
];
