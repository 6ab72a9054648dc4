import { Duration, type Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { AccountPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { gallery } from '../fixtures/gallery/index.ts';
import { templateOf } from '../fixtures/synthesized.ts';
import { ModelBucket, type ModelBucketProps } from './model-bucket.ts';

const bucketOf = (props?: ModelBucketProps) => templateOf((stack) => void new ModelBucket(stack, 'Models', props));

describe('a model bucket', () => {
  test('keeps every version, encrypted by a rotating key of its own, and is never public', () => {
    const template = bucketOf();
    template.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      LoggingConfiguration: { LogFilePrefix: 'Models/' },
    });
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('never expires a version, and moves old ones to cheaper storage', () => {
    const { Properties } = Object.values(bucketOf().findResources('AWS::S3::Bucket')).find(
      ({ Properties }) => Properties.LoggingConfiguration !== undefined,
    ) as { Properties: { LifecycleConfiguration: { Rules: readonly Readonly<Record<string, unknown>>[] } } };
    const rules = Properties.LifecycleConfiguration.Rules;
    expect(rules.flatMap((rule) => Object.keys(rule)).filter((key) => /Expiration/.test(key))).toEqual([]);
    expect(rules).toContainEqual(
      expect.objectContaining({
        NoncurrentVersionTransitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }],
      }),
    );
  });

  test('refuses requests without TLS 1.2', () => {
    bucketOf().hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
        ]),
      },
    });
  });

  test('lets S3 write its logs by the policy of their bucket, in apps with or without the flag for it', () => {
    const template = bucketOf();
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 's3:PutObject', Principal: { Service: 'logging.s3.amazonaws.com' } }),
        ]),
      },
    });
    expect(JSON.stringify(template.toJSON())).not.toContain('AccessControl"');
  });

  describe('denies, whatever else allows it,', () => {
    const denials = (props?: ModelBucketProps) => {
      const policies = Object.values(bucketOf(props).findResources('AWS::S3::BucketPolicy'));
      const statements = policies.flatMap(
        (policy): readonly Readonly<Record<string, unknown>>[] => policy['Properties'].PolicyDocument.Statement,
      );
      return (sid: string) => statements.find(({ Sid }) => Sid === sid);
    };
    const everybody = { Effect: 'Deny', Principal: { AWS: '*' } };

    test("an object encrypted by S3 itself, by another key or by a client's", () => {
      const header = 's3:x-amz-server-side-encryption';
      expect(denials()('EncryptedByKms')).toMatchObject({
        ...everybody,
        Action: 's3:PutObject',
        Condition: { Null: { [header]: 'false' }, StringNotEquals: { [header]: ['aws:kms', 'aws:kms:dsse'] } },
      });
      expect(denials()('EncryptedByNoOtherKey')).toMatchObject({
        ...everybody,
        Action: 's3:PutObject',
        Condition: {
          Null: { [`${header}-aws-kms-key-id`]: 'false' },
          ArnNotEquals: { [`${header}-aws-kms-key-id`]: { 'Fn::GetAtt': [expect.any(String), 'Arn'] } },
        },
      });
      expect(denials()('NoKeysOfClients')).toMatchObject({ ...everybody, Action: 's3:PutObject' });
    });

    test('access control lists', () => {
      expect(denials()('NoAccessControlLists')).toMatchObject({
        ...everybody,
        Action: ['s3:PutObjectAcl', 's3:PutObjectVersionAcl'],
      });
      expect(denials()('NoAccessControlListOfTheBucket')).toMatchObject({ ...everybody, Action: 's3:PutBucketAcl' });
    });

    test('the end of a version, but for the roles that are named', () => {
      const gone = { ...everybody, Action: ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention'] };
      expect(denials()('VersionsStay')).toMatchObject(gone);
      expect(denials()('VersionsStay')).not.toHaveProperty('Condition');
      const role = 'arn:aws:iam::111122223333:role/break-glass';
      expect(denials({ breakGlassRoles: [role] })('VersionsStay')).toMatchObject({
        ...gone,
        Condition: { ArnNotLike: { 'aws:PrincipalArn': [role] } },
      });
    });
  });

  test('is locked and copied where that is asked for', () => {
    const template = templateOf(gallery['model-bucket-locked-and-replicated'] as (stack: Stack) => void);
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 365 } } },
      ReplicationConfiguration: {
        Rules: [
          Match.objectLike({
            Status: 'Enabled',
            DeleteMarkerReplication: { Status: 'Enabled' },
            Destination: Match.objectLike({
              Account: '444455556666',
              AccessControlTranslation: { Owner: 'Destination' },
              EncryptionConfiguration: { ReplicaKmsKeyID: 'arn:aws:kms:eu-west-1:444455556666:key/0c1e' },
            }),
          }),
        ],
      },
    });
  });

  test('tells everything that is wrong with it at once', () => {
    expect(() =>
      bucketOf({
        bucketName: 'Acme.Models',
        archiveOldVersionsAfter: Duration.days(3),
        objectLock: { mode: 'governance', retention: Duration.hours(2) },
        breakGlassRoles: ['arn:aws:iam::111122223333:role/*'],
        replicateTo: { bucketArn: 's3://copy', keyArn: 'alias/x' },
      }),
    ).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ code: 'bad-archive-age' }),
          expect.objectContaining({ code: 'bad-retention' }),
          expect.objectContaining({ code: 'bad-bucket-name', place: { key: 'ModelBucket "Stack/Models"' } }),
          expect.objectContaining({ code: 'bad-role' }),
          expect.objectContaining({ code: 'bad-arn' }),
          expect.objectContaining({ code: 'bad-arn' }),
        ],
      }),
    );
  });
});

describe('its grants', () => {
  const granted = (use: (bucket: ModelBucket, role: Role) => void) =>
    templateOf((stack) => {
      const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
      use(new ModelBucket(stack, 'Models'), role);
    });
  const actionsOf = (template: ReturnType<typeof templateOf>) =>
    Object.values(template.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
      (Properties.PolicyDocument.Statement as readonly { Action: string | readonly string[] }[]).flatMap(
        ({ Action }) => Action,
      ),
    );

  test('to read are of every version below the prefix, and list no other', () => {
    const template = granted((bucket, role) => bucket.grantRead(role, 'churn/*'));
    expect(actionsOf(template).toSorted()).toEqual([
      'kms:Decrypt',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:ListBucket',
      's3:ListBucketVersions',
    ]);
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Condition: { StringLike: { 's3:prefix': 'churn/*' } } })]),
      },
    });
  });

  test('to publish neither delete nor unlock nor read', () => {
    const actions = actionsOf(granted((bucket, role) => bucket.grantPublish(role, 'churn/*')));
    expect(actions.toSorted()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      's3:AbortMultipartUpload',
      's3:PutObject',
    ]);
  });

  test('to verify reads how the bucket is kept, and writes nothing', () => {
    const actions = actionsOf(granted((bucket, role) => bucket.grantVerify(role, 'churn/*')));
    expect(actions.filter((action) => !/^(?:s3:Get|kms:Decrypt$)/.test(action))).toEqual([]);
    expect(actions).toEqual(expect.arrayContaining(['s3:GetBucketVersioning', 's3:GetObjectVersion']));
  });

  test('to another account are in the policies of the bucket and of its key', () => {
    const template = templateOf((stack) => {
      new ModelBucket(stack, 'Models').grantRead(new AccountPrincipal('444455556666'));
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Action: ['s3:GetObject', 's3:GetObjectVersion'] })]),
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: { Statement: Match.arrayWith([Match.objectLike({ Action: 'kms:Decrypt' })]) },
    });
  });
});

describe('its metrics', () => {
  test('are of the bucket, of all storage, and of its copy', () => {
    templateOf((stack) => {
      const replicateTo = { bucketArn: 'arn:aws:s3:::copy', keyArn: 'arn:aws:kms:eu-west-1:444455556666:key/0c1e' };
      const models = new ModelBucket(stack, 'Models', { replicateTo });
      const BucketName = models.bucket.bucketName;
      expect(models.metricSize()).toMatchObject({ dimensions: { BucketName, StorageType: 'StandardStorage' } });
      expect(models.metricObjects()).toMatchObject({ dimensions: { BucketName, StorageType: 'AllStorageTypes' } });
      expect(models.metricReplicationFailures()).toMatchObject({
        statistic: 'Sum',
        dimensions: { SourceBucket: BucketName, DestinationBucket: 'copy', RuleId: 'Everything' },
      });
      const alone = new ModelBucket(stack, 'Alone');
      expect(() => alone.metricReplicationFailures()).toThrow(/makes none/);
    });
  });
});
