import { Duration, Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { InferenceImage, ModelRegistryRepository } from '../../constructs/aws/index.ts';
import { durationMs } from '../../core/policy/index.ts';

// What the file writes as text, as the CDK has it.

/** `15m`, as the schema let it through. */
export function durationOf(text: string): Duration {
  return Duration.millis(durationMs(text) ?? Number.NaN);
}

export interface StoredImage {
  readonly repository: Repository | ReturnType<typeof Repository.fromRepositoryAttributes>;
  readonly tagOrDigest: string;
}

/** A tag or digest of the environment's registry, or the whole address of an image in another. */
export function imageOf(scope: Construct, id: string, text: string, own: ModelRegistryRepository): StoredImage {
  const [, account, region, repositoryName = '', mark, tagOrDigest = ''] =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+\/([^:@]+)([:@])(.+)$/.exec(text) ?? [];
  if (mark === undefined) return { repository: own.repository, tagOrDigest: text };
  const repositoryArn = `arn:${Stack.of(scope).partition}:ecr:${region}:${account}:repository/${repositoryName}`;
  return { repository: Repository.fromRepositoryAttributes(scope, id, { repositoryArn, repositoryName }), tagOrDigest };
}

/** As an endpoint or a batch names it. */
export function inferenceImage({ repository, tagOrDigest }: StoredImage): Exclude<InferenceImage, string> {
  return { repository, ...(tagOrDigest.startsWith('sha256:') ? { digest: tagOrDigest } : { tag: tagOrDigest }) };
}

export interface StoredFolder {
  readonly bucket: ReturnType<typeof Bucket.fromBucketAttributes>;
  readonly prefix: string;
}

/** `s3://bucket/folder`, and the key that encrypts it where there is one. */
export function folderOf(scope: Construct, id: string, text: string, keyArn: string | undefined): StoredFolder {
  const { hostname: bucketName, pathname } = new URL(text);
  const encryptionKey = keyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(scope, `${id}Key`, keyArn) };
  return {
    bucket: Bucket.fromBucketAttributes(scope, id, { bucketName, ...encryptionKey }),
    prefix: pathname.replace(/^\//, ''),
  };
}
