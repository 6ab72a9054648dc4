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
    rules: ['checkov CKV_AWS_136'],
    objects: ['AWS::ECR::Repository *'],
    reason:
      'Images are encrypted by a key that AWS manages; a key of the user is a prop, whose price is a request for every layer.',
  },
  {
    rules: ['cfn-guard CT.CLOUDWATCH.PR.1'],
    objects: ['AWS::CloudWatch::Alarm Alarms*'],
    reason:
      'Parts of the composite alarms, which have the actions: an action of each would tell of every window of every budget, also during a rollout.',
  },
  {
    rules: ['cfn-guard CT.CLOUDWATCH.PR.1'],
    objects: ['AWS::CloudWatch::Alarm *Rollback*', 'AWS::CloudWatch::Alarm *Abort'],
    reason:
      "Alarms of an endpoint's deployments: SageMaker reads their state and takes the deployment back, which is no action of the alarm. Whom else they tell is a prop (`alarms.topic`).",
  },
  {
    rules: ['checkov CKV_AWS_370'],
    objects: ['AWS::SageMaker::Model Rarely*'],
    reason:
      'A serverless endpoint takes no network isolation (SageMaker developer guide, serverless-endpoints, feature exclusions).',
  },
];
