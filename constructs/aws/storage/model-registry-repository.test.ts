import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { AccountPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import { templateOf } from '../fixtures/synthesized.ts';
import { ModelRegistryRepository } from './model-registry-repository.ts';

describe('a registry of models', () => {
  test('takes no second image for a tag, scans what is pushed, and keeps what has a tag', () => {
    const template = templateOf((stack) => {
      new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn' });
    });
    template.hasResourceProperties('AWS::ECR::Repository', {
      RepositoryName: 'models/churn',
      ImageTagMutability: 'IMMUTABLE',
      ImageScanningConfiguration: { ScanOnPush: true },
      EncryptionConfiguration: { EncryptionType: 'KMS' },
    });
    const [{ Properties }] = Object.values(template.findResources('AWS::ECR::Repository')) as [
      { readonly Properties: { readonly LifecyclePolicy: { readonly LifecyclePolicyText: string } } },
    ];
    expect(JSON.parse(Properties.LifecyclePolicy.LifecyclePolicyText).rules).toMatchObject([
      { selection: { tagStatus: 'untagged', countNumber: 30 } },
    ]);
  });

  test('is encrypted by a key of the owner where one is given', () => {
    templateOf((stack) => {
      const encryptionKey = new Key(stack, 'Key');
      new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn', encryptionKey });
    }).hasResourceProperties('AWS::ECR::Repository', {
      EncryptionConfiguration: { EncryptionType: 'KMS', KmsKey: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] } },
    });
  });

  test('lets another account pull by its own policy, and nothing else', () => {
    templateOf((stack) => {
      const images = new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn' });
      images.grantPull(new AccountPrincipal('444455556666'));
    }).hasResourceProperties('AWS::ECR::Repository', {
      RepositoryPolicyText: {
        Statement: [
          {
            Effect: 'Allow',
            Action: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
          },
        ],
      },
    });
  });

  test('lets nobody who may push take an image away', () => {
    const template = templateOf((stack) => {
      const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
      new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn' }).grantPush(role);
    });
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).not.toMatch(
      /ecr:(?:\w*Delete|PutImageTag|PutLifecycle)/,
    );
  });

  test('counts its pulls, and keeps images that no tag names for a day at least', () => {
    templateOf((stack) => {
      const images = new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn' });
      expect(images.metricPulls()).toMatchObject({ namespace: 'AWS/ECR', statistic: 'Sum' });
      const expireUntaggedAfter = Duration.hours(3);
      const props = { repositoryName: 'models/other', expireUntaggedAfter };
      expect(() => new ModelRegistryRepository(stack, 'Other', props)).toThrow(/less than ECR counts in/);
    });
  });

  test.each(['Models', 'models//churn', '-x', 'm'])('is not called %s', (repositoryName) => {
    expect(() => templateOf((stack) => void new ModelRegistryRepository(stack, 'Images', { repositoryName }))).toThrow(
      /repositoryName is none that ECR takes/,
    );
  });
});
