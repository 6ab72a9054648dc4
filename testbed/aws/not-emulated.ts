/** Types that the emulator's CloudFormation takes and makes nothing of: nothing could be looked at. */
export interface NotMade {
  readonly type: string;
  readonly reason: string;
}

const unknownType = "moto 5.2.5's CloudFormation does not know it";

export const notMade: readonly NotMade[] = [
  { type: 'AWS::S3::BucketPolicy', reason: unknownType },
  { type: 'AWS::IAM::OIDCProvider', reason: unknownType },
  { type: 'AWS::SNS::TopicPolicy', reason: unknownType },
  { type: 'AWS::SNS::Subscription', reason: unknownType },
  { type: 'AWS::CloudWatch::Alarm', reason: unknownType },
  { type: 'AWS::CloudWatch::CompositeAlarm', reason: unknownType },
  { type: 'AWS::EC2::SecurityGroupIngress', reason: 'It adds the rule to its group, and gives it no id of its own.' },
];

export function isNotMade(type: string): boolean {
  return notMade.some((each) => each.type === type);
}

/** Properties that the emulator does not hand on from CloudFormation to the service, or that its service does not keep. */
export interface NotKept {
  readonly type: string;
  /** Where they begin: `LifecycleConfiguration`; `*` is the place in a list. */
  readonly properties: readonly [string, ...string[]];
  readonly reason: string;
}

export const notKept: readonly NotKept[] = [
  {
    type: 'AWS::S3::Bucket',
    properties: [
      'LifecycleConfiguration',
      'LoggingConfiguration',
      'ObjectLockConfiguration',
      'ObjectLockEnabled',
      'OwnershipControls',
      'PublicAccessBlockConfiguration',
      'ReplicationConfiguration',
      'VersioningConfiguration',
      'BucketEncryption.ServerSideEncryptionConfiguration.*.BucketKeyEnabled',
    ],
    reason: 'It makes a bucket by its name, encryption and tags alone.',
  },
  {
    type: 'AWS::ECR::Repository',
    properties: ['EncryptionConfiguration', 'ImageScanningConfiguration', 'LifecyclePolicy', 'Tags'],
    reason: 'It reads these in another spelling than CloudFormation has, or not at all.',
  },
  {
    type: 'AWS::StepFunctions::StateMachine',
    properties: ['LoggingConfiguration', 'TracingConfiguration'],
    reason: 'It makes a state machine by its name, role, definition and tags alone.',
  },
  {
    type: 'AWS::EC2::SecurityGroup',
    properties: ['SecurityGroupEgress'],
    reason: 'It takes the rule that lets everything out for the one that every group begins with, and tells neither.',
  },
  {
    type: 'AWS::SNS::Topic',
    properties: ['Tags'],
    reason: 'It makes a topic without its tags.',
  },
  {
    type: 'AWS::Logs::LogGroup',
    properties: ['KmsKeyId', 'ResourcePolicyDocument'],
    reason: 'It makes a group of logs by its name, time of keeping and tags alone.',
  },
];
