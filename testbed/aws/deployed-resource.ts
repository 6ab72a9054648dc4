import type { AwsEmulator } from './aws-emulator.ts';

/** What an API says of a resource, with the names that CloudFormation's properties have. */
export type Described = Readonly<Record<string, unknown>>;

// biome-ignore lint/suspicious/noExplicitAny: answers of many operations, each by a model of its own.
type Answer = any;

/** Asks the API of the resource's service for what has this physical id. */
type Look = (aws: AwsEmulator, id: string, resource: LookedAt) => Promise<Described>;

/** What is looked at, and what else is in its stack. */
export interface LookedAt {
  readonly properties: Described;
  readonly physicalIds: ReadonlyMap<string, string>;
}

const text = (document: unknown): unknown => (typeof document === 'string' ? JSON.parse(document) : document);

/** Fields of an answer whose names CloudFormation has too. */
const asAnswered =
  (service: string, operation: string, parameter: string): Look =>
  (aws, id) =>
    aws.call(service, operation, { [parameter]: id });

/** How each type of resource is looked at. */
export const looks: Readonly<Record<string, Look>> = {
  'AWS::S3::Bucket': async (aws, Bucket) => {
    await aws.call('s3', 'head_bucket', { Bucket });
    // What a bucket was never told of, the API calls an error.
    const optional = (what: string): Promise<Answer> => aws.call('s3', `get_${what}`, { Bucket }).catch(() => ({}));
    const { Rules } = await optional('bucket_lifecycle_configuration');
    const { TagSet } = await optional('bucket_tagging');
    const { ServerSideEncryptionConfiguration } = await optional('bucket_encryption');
    const { ObjectLockConfiguration } = await optional('object_lock_configuration');
    const { ReplicationConfiguration } = await optional('bucket_replication');
    return {
      BucketName: Bucket,
      VersioningConfiguration: await optional('bucket_versioning'),
      BucketEncryption: {
        ServerSideEncryptionConfiguration: ServerSideEncryptionConfiguration?.Rules.map(
          ({ ApplyServerSideEncryptionByDefault, ...rule }: Answer) => ({
            ...rule,
            ServerSideEncryptionByDefault: ApplyServerSideEncryptionByDefault,
          }),
        ),
      },
      PublicAccessBlockConfiguration: (await optional('public_access_block')).PublicAccessBlockConfiguration,
      OwnershipControls: (await optional('bucket_ownership_controls')).OwnershipControls,
      LoggingConfiguration: loggingOf((await optional('bucket_logging')).LoggingEnabled),
      LifecycleConfiguration: { Rules: Rules?.map(lifecycleRuleOf) },
      ObjectLockEnabled: ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
      ObjectLockConfiguration,
      ReplicationConfiguration,
      Tags: TagSet,
    };
  },
  'AWS::S3::BucketPolicy': async (aws, Bucket) => ({
    Bucket,
    PolicyDocument: text((await aws.call('s3', 'get_bucket_policy', { Bucket })).Policy),
  }),
  'AWS::KMS::Key': async (aws, KeyId) => {
    const { KeyMetadata } = await aws.call('kms', 'describe_key', { KeyId });
    const { KeyRotationEnabled } = await aws.call('kms', 'get_key_rotation_status', { KeyId });
    const { Policy } = await aws.call('kms', 'get_key_policy', { KeyId, PolicyName: 'default' });
    const { Tags } = await aws.call('kms', 'list_resource_tags', { KeyId });
    return { ...KeyMetadata, EnableKeyRotation: KeyRotationEnabled, KeyPolicy: Policy, Tags };
  },
  'AWS::IAM::Role': async (aws, RoleName) => {
    const { Role } = await aws.call('iam', 'get_role', { RoleName });
    const { PolicyNames } = await aws.call('iam', 'list_role_policies', { RoleName });
    const { AttachedPolicies } = await aws.call('iam', 'list_attached_role_policies', { RoleName });
    const Policies = [];
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument } = await aws.call('iam', 'get_role_policy', { RoleName, PolicyName });
      Policies.push({ PolicyName, PolicyDocument });
    }
    return {
      ...Role,
      Policies,
      ManagedPolicyArns: AttachedPolicies.map(({ PolicyArn }: Answer) => PolicyArn),
    };
  },
  'AWS::IAM::Policy': async (aws, _id, { properties, physicalIds }) => {
    const { PolicyName, Roles } = properties as { readonly PolicyName: string; readonly Roles: readonly Answer[] };
    const documents = [];
    for (const { Ref } of Roles) {
      const RoleName = physicalIds.get(Ref);
      documents.push((await aws.call('iam', 'get_role_policy', { RoleName, PolicyName })).PolicyDocument);
    }
    return { PolicyName, Roles: documents.map(() => 'has it'), PolicyDocument: text(documents[0]) };
  },
  'AWS::IAM::InstanceProfile': async (aws, InstanceProfileName) => {
    const { InstanceProfile } = await aws.call('iam', 'get_instance_profile', { InstanceProfileName });
    return { ...InstanceProfile, Roles: InstanceProfile.Roles.map(({ RoleName }: Answer) => RoleName) };
  },
  'AWS::IAM::ManagedPolicy': async (aws, PolicyArn) => {
    const { Policy } = await aws.call('iam', 'get_policy', { PolicyArn });
    const { PolicyVersion } = await aws.call('iam', 'get_policy_version', {
      PolicyArn,
      VersionId: Policy.DefaultVersionId,
    });
    return { ...Policy, PolicyDocument: text(PolicyVersion.Document) };
  },
  'AWS::ECR::Repository': async (aws, name) => {
    const { repositories } = await aws.call('ecr', 'describe_repositories', { repositoryNames: [name] });
    const [{ repositoryName, imageTagMutability, imageScanningConfiguration, encryptionConfiguration }] = repositories;
    const lifecycle = await aws
      .call('ecr', 'get_lifecycle_policy', { repositoryName: name })
      .catch(() => ({ lifecyclePolicyText: undefined }));
    return {
      RepositoryName: repositoryName,
      ImageTagMutability: imageTagMutability,
      ImageScanningConfiguration: { ScanOnPush: imageScanningConfiguration?.scanOnPush },
      EncryptionConfiguration: {
        EncryptionType: encryptionConfiguration?.encryptionType,
        KmsKey: encryptionConfiguration?.kmsKey,
      },
      LifecyclePolicy: { LifecyclePolicyText: lifecycle.lifecyclePolicyText },
    };
  },
  'AWS::SageMaker::Model': async (aws, arn) =>
    withTags(aws, arn, await aws.call('sagemaker', 'describe_model', { ModelName: arn.split('/').at(-1) })),
  'AWS::SageMaker::EndpointConfig': async (aws, arn) => {
    const EndpointConfigName = arn.split('/').at(-1);
    return withTags(aws, arn, await aws.call('sagemaker', 'describe_endpoint_config', { EndpointConfigName }));
  },
  'AWS::SageMaker::Endpoint': async (aws, arn) =>
    withTags(aws, arn, await aws.call('sagemaker', 'describe_endpoint', { EndpointName: arn.split('/').at(-1) })),
  'AWS::StepFunctions::StateMachine': async (aws, stateMachineArn) => {
    const machine = await aws.call('stepfunctions', 'describe_state_machine', { stateMachineArn });
    return {
      StateMachineName: machine.name,
      StateMachineType: machine.type,
      DefinitionString: machine.definition,
      RoleArn: machine.roleArn,
      LoggingConfiguration: capitalized(machine.loggingConfiguration),
      TracingConfiguration: capitalized(machine.tracingConfiguration),
      EncryptionConfiguration: capitalized(machine.encryptionConfiguration),
      Tags: await tagsOf(aws, 'stepfunctions', { resourceArn: stateMachineArn }),
    };
  },
  'AWS::SNS::Topic': async (aws, TopicArn) => ({
    ...(await aws.call('sns', 'get_topic_attributes', { TopicArn })).Attributes,
    Tags: await tagsOf(aws, 'sns', { ResourceArn: TopicArn }),
  }),
  'AWS::SQS::Queue': async (aws, QueueUrl) => {
    const { Attributes } = await aws.call('sqs', 'get_queue_attributes', { QueueUrl, AttributeNames: ['All'] });
    const { RedrivePolicy, ...rest } = Attributes;
    const { Tags = {} } = await aws.call('sqs', 'list_queue_tags', { QueueUrl });
    return {
      QueueName: QueueUrl.split('/').at(-1),
      ...rest,
      Tags: Object.entries(Tags).map(([Key, Value]) => ({ Key, Value })),
      ...(RedrivePolicy === undefined ? {} : { RedrivePolicy: text(RedrivePolicy) }),
    };
  },
  'AWS::Events::Rule': async (aws, id) => {
    const Name = id.split('/').at(-1) ?? id;
    const rule = await aws.call('events', 'describe_rule', { Name });
    const { Targets } = await aws.call('events', 'list_targets_by_rule', { Rule: Name });
    return {
      ...rule,
      EventPattern: text(rule.EventPattern ?? '{}'),
      Targets,
      Tags: await tagsOf(aws, 'events', { ResourceARN: rule.Arn }),
    };
  },
  'AWS::Logs::LogGroup': async (aws, logGroupNamePrefix) => {
    const { logGroups } = await aws.call('logs', 'describe_log_groups', { logGroupNamePrefix });
    const [{ logGroupName, retentionInDays, kmsKeyId, logGroupArn, arn }] = logGroups;
    const resourceArn = logGroupArn ?? arn.replace(/:\*$/, '');
    return {
      LogGroupName: logGroupName,
      RetentionInDays: retentionInDays,
      KmsKeyId: kmsKeyId,
      Tags: await tagsOf(aws, 'logs', { resourceArn }),
    };
  },
  'AWS::CloudWatch::Dashboard': asAnswered('cloudwatch', 'get_dashboard', 'DashboardName'),
  'AWS::EC2::SecurityGroup': async (aws, id) => {
    const { SecurityGroups } = await aws.call('ec2', 'describe_security_groups', { GroupIds: [id] });
    const [{ Description, GroupName, VpcId, IpPermissions, IpPermissionsEgress, Tags }] = SecurityGroups;
    return {
      GroupDescription: Description,
      GroupName,
      VpcId,
      Tags,
      SecurityGroupIngress: IpPermissions.flatMap(securityRulesOf),
      SecurityGroupEgress: IpPermissionsEgress.flatMap(securityRulesOf),
    };
  },
  'AWS::EC2::LaunchTemplate': async (aws, LaunchTemplateId) => {
    const { LaunchTemplateVersions } = await aws.call('ec2', 'describe_launch_template_versions', {
      LaunchTemplateId,
      Versions: ['$Latest'],
    });
    return LaunchTemplateVersions[0];
  },
};

function securityRulesOf({ IpProtocol, FromPort, ToPort, IpRanges = [] }: Answer): readonly Described[] {
  return IpRanges.map(({ CidrIp, Description }: Answer) => ({ IpProtocol, FromPort, ToPort, CidrIp, Description }));
}

/** Services answer a list or an object, in either case. */
async function tagsOf(aws: AwsEmulator, service: string, resource: object): Promise<readonly Described[]> {
  const { tags, Tags = tags ?? [] } = await aws.call(service, 'list_tags_for_resource', resource);
  if (Array.isArray(Tags)) return capitalized(Tags);
  return Object.entries(Tags).map(([Key, Value]) => ({ Key, Value }));
}

async function withTags(aws: AwsEmulator, ResourceArn: string, said: Answer): Promise<Described> {
  return { ...said, Tags: (await aws.call('sagemaker', 'list_tags', { ResourceArn })).Tags };
}

function loggingOf(logging: Answer): Described | undefined {
  return logging && { DestinationBucketName: logging.TargetBucket, LogFilePrefix: logging.TargetPrefix };
}

function lifecycleRuleOf(rule: Answer): Described {
  return {
    Id: rule.ID,
    Status: rule.Status,
    ExpirationInDays: rule.Expiration?.Days,
    AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
    NoncurrentVersionExpiration: rule.NoncurrentVersionExpiration,
    NoncurrentVersionTransitions: rule.NoncurrentVersionTransitions?.map((each: Answer) => ({
      StorageClass: each.StorageClass,
      TransitionInDays: each.NoncurrentDays,
    })),
  };
}

/** `includeExecutionData` of an API is `IncludeExecutionData` of CloudFormation. */
function capitalized(value: Answer): Answer {
  if (Array.isArray(value)) return value.map(capitalized);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [`${key.charAt(0).toUpperCase()}${key.slice(1)}`, capitalized(inner)]),
  );
}

/** Where what an API says is not what a template asked for: `LifecycleConfiguration.Rules.0.Status`, with both. */
export interface Difference {
  readonly path: string;
  readonly asked: unknown;
  readonly said: unknown;
}

/**
 * What of a template's properties is not there. Values that CloudFormation fills in (references) have to be there, whatever they are; all others
 * have to be equal, numbers and texts of them alike. Lists may come in another order.
 */
export function differences(asked: unknown, said: unknown, path = ''): readonly Difference[] {
  const at = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
  if (isFunction(asked)) return isThere(said) ? [] : [{ path, asked, said }];
  if (Array.isArray(asked)) {
    if (!Array.isArray(said) || said.length < asked.length) return [{ path, asked, said }];
    return asked.flatMap((each, index) => {
      const tries = [said[index], ...said].map((one) => differences(each, one, at(index)));
      return tries.some(({ length }) => length === 0) ? [] : (tries[0] ?? []);
    });
  }
  if (typeof asked === 'object' && asked !== null) {
    if (typeof said !== 'object' || said === null) return [{ path, asked, said }];
    return Object.entries(asked).flatMap(([key, each]) => differences(each, (said as Described)[key], at(key)));
  }
  // A policy's `Action: 'a'` may come back as `['a']`.
  const one = Array.isArray(said) && said.length === 1 ? said[0] : said;
  return String(asked) === String(one) ? [] : [{ path, asked, said }];
}

function isFunction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^(?:Ref$|Fn::)/.test(keys[0] ?? '');
}

/** Something, and nothing that CloudFormation would have had to fill in. */
function isThere(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !/"(?:Ref|Fn::\w+)":/.test(JSON.stringify(value));
}
