import { CfnOutput, Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ModelBucket, type ModelBucketProps, ModelRegistryRepository } from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { InfraEnvironment } from '../config/schema.ts';
import { EnvironmentStack } from './environment-stack.ts';

/**
 * Where models are kept: their bucket and their images. The other stacks stand on it by strong references, so CloudFormation keeps it while one of them
 * is there; it cannot be deleted by mistake, and what is in it stays even then.
 */
export class StorageStack extends EnvironmentStack {
  readonly models: ModelBucket;
  readonly images: ModelRegistryRepository;

  constructor(scope: Construct, deployment: Deployment) {
    super(scope, deployment, 'storage', 'Models and their images');
    this.terminationProtection = true;
    this.models = new ModelBucket(this, 'Models', bucketProps(deployment.environment.models));
    this.images = new ModelRegistryRepository(this, 'Images', {
      repositoryName: `${deployment.name}/${deployment.environmentName}`,
    });
    new CfnOutput(this, 'ModelBucketName', { value: this.models.bucket.bucketName });
    new CfnOutput(this, 'ModelKeyArn', { value: this.models.encryptionKey.keyArn });
    new CfnOutput(this, 'ImageRepositoryUri', { value: this.images.repository.repositoryUri });
  }
}

function bucketProps(models: InfraEnvironment['models'] = {}): ModelBucketProps {
  const { archive_after_days: archive, lock, copy_to: copy } = models;
  return {
    ...(archive === undefined ? {} : { archiveOldVersionsAfter: Duration.days(archive) }),
    ...(lock === undefined ? {} : { objectLock: { mode: lock.mode, retention: Duration.days(lock.days) } }),
    ...(copy === undefined
      ? {}
      : {
          replicateTo: {
            bucketArn: copy.bucket,
            keyArn: copy.key,
            ...(copy.account === undefined ? {} : { account: copy.account }),
          },
        }),
  };
}
