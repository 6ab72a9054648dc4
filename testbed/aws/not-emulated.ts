/** Types that the emulator's CloudFormation takes and makes nothing of: nothing could be looked at. */
export interface NotMade {
  readonly type: string;
  readonly reason: string;
}

const unknownType = "moto 5.2.5's CloudFormation does not know it";
const ofClusters = 'Rules of groups that EKS makes, of which it makes none (emulated-template.ts leaves them out).';
const ofPrograms = 'Their programs are what `cdk deploy` uploads first (emulated-template.ts leaves them out).';

export const notMade: readonly NotMade[] = [
  { type: 'AWS::S3::BucketPolicy', reason: unknownType },
  { type: 'AWS::IAM::OIDCProvider', reason: unknownType },
  { type: 'AWS::SNS::TopicPolicy', reason: unknownType },
  { type: 'AWS::SNS::Subscription', reason: unknownType },
  { type: 'AWS::CloudWatch::Alarm', reason: unknownType },
  { type: 'AWS::CloudWatch::CompositeAlarm', reason: unknownType },
  { type: 'AWS::ApplicationAutoScaling::ScalableTarget', reason: unknownType },
  { type: 'AWS::ApplicationAutoScaling::ScalingPolicy', reason: unknownType },
  { type: 'AWS::APS::Workspace', reason: unknownType },
  { type: 'AWS::APS::RuleGroupsNamespace', reason: unknownType },
  { type: 'AWS::APS::Scraper', reason: unknownType },
  { type: 'AWS::EKS::Cluster', reason: unknownType },
  { type: 'AWS::EKS::Nodegroup', reason: unknownType },
  { type: 'AWS::EKS::Addon', reason: unknownType },
  { type: 'AWS::EKS::AccessEntry', reason: unknownType },
  { type: 'AWS::EKS::PodIdentityAssociation', reason: unknownType },
  { type: 'AWS::Grafana::Workspace', reason: unknownType },
  { type: 'AWS::Scheduler::Schedule', reason: unknownType },
  { type: 'AWS::Lambda::Function', reason: ofPrograms },
  { type: 'Custom::GrafanaDashboard', reason: ofPrograms },
  { type: 'AWS::SQS::QueuePolicy', reason: unknownType },
  { type: 'AWS::EC2::PlacementGroup', reason: unknownType },
  { type: 'AWS::EC2::SecurityGroupIngress', reason: ofClusters },
  { type: 'AWS::EC2::SecurityGroupEgress', reason: ofClusters },
];

/** Types that are no part of a construct here: the network that the gallery's clusters stand in is the CDK's own `Vpc`. */
export const scenery: readonly string[] = [
  'AWS::EC2::VPC',
  'AWS::EC2::Subnet',
  'AWS::EC2::RouteTable',
  'AWS::EC2::Route',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::EC2::NatGateway',
  'AWS::EC2::EIP',
  'AWS::EC2::FlowLog',
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
  { type: 'AWS::IAM::Role', properties: ['ManagedPolicyArns'], reason: "It has none of AWS's own policies." },
  {
    type: 'AWS::IAM::Role',
    properties: ['Policies.*.PolicyDocument'],
    reason: 'It keeps a policy within a role as Python prints it, which is no JSON.',
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
    type: 'AWS::SageMaker::Endpoint',
    properties: ['DeploymentConfig', 'EndpointName', 'ExcludeRetainedVariantProperties', 'RetainAllVariantProperties'],
    reason:
      'It makes an endpoint by its configuration alone, under a name that it chooses. How an update goes is held to the API in api-parameters.test.ts.',
  },
  {
    type: 'AWS::SageMaker::EndpointConfig',
    properties: ['ShadowProductionVariants'],
    reason: 'It knows no shadow variants.',
  },
  {
    type: 'AWS::SageMaker::Model',
    properties: ['EnableNetworkIsolation'],
    reason: 'It takes no model out of the network.',
  },
  { type: 'AWS::CloudWatch::Dashboard', properties: ['Tags'], reason: 'It makes a dashboard without its tags.' },
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
