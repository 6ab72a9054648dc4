/**
 * `sluice verify-bucket` against services that keep buckets: AWS's emulator, which knows every setting and key, with the settings of `ModelBucket`'s own
 * template; and a real S3 service, which keeps versions and checksums as files.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BucketVersioningStatus,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutBucketEncryptionCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { record } from '../../cli/recorded-streams.ts';
import type { Report } from '../../core/report/index.ts';
import { createUser, objectStore, owner } from '../model-fetch/object-store.ts';
import type { Peer } from '../serving/peer.ts';
import { type AwsEmulator, startAwsEmulator } from './aws-emulator.ts';
import { galleryTemplates } from './templates.ts';

const region = 'eu-north-1';
const model = Buffer.from('a model that was judged');
const sha256 = createHash('sha256').update(model).digest('hex');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-verify-bucket-'));
  writeFileSync(join(directory, 'release.json'), JSON.stringify({ model: { path: 'model.onnx', sha256 } }));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

function clientOf(endpoint: string, accessKeyId: string, secretAccessKey: string): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

function act(endpoint: string, access: string, secret: string): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', access);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', endpoint);
  vi.stubEnv('AWS_REGION', region);
}

/** The exit code, and the status of each check. */
async function verify(...argv: readonly string[]): Promise<{ exitCode: number; statuses: Record<string, string> }> {
  const { exitCode, stdout } = await record(directory, ['verify-bucket', ...argv, '--json'], {
    AWS_ENDPOINT_URL_S3: process.env['AWS_ENDPOINT_URL_S3'],
    AWS_REGION: region,
  });
  const { checks = [] } = JSON.parse(stdout) as Partial<Report>;
  return {
    exitCode,
    statuses: Object.fromEntries(checks.map(({ id, status }) => [id.replace('gate/bucket/', ''), status])),
  };
}

describe('on the emulator of AWS', () => {
  let emulator: AwsEmulator;
  let client: S3Client;
  let keyArn: string;

  beforeAll(async () => {
    emulator = await startAwsEmulator();
    client = clientOf(emulator.endpoint, 'job', 'secret');
    act(emulator.endpoint, 'job', 'secret');
    const { KeyMetadata } = await emulator.call('kms', 'create_key', {});
    keyArn = KeyMetadata.Arn;
  }, 300_000);
  afterAll(async () => {
    client?.destroy();
    await emulator?.stop();
  });

  /** A bucket with the settings of the construct's template, each put by S3's own call: CloudFormation's is not emulated that far. */
  async function modelBucket(Bucket: string): Promise<void> {
    const file = galleryTemplates().find(({ from }) => from === 'model-bucket');
    const resource = Object.values(file?.template.Resources ?? {}).find(
      ({ Type, Properties }) => Type === 'AWS::S3::Bucket' && Properties?.['LoggingConfiguration'] !== undefined,
    );
    const { VersioningConfiguration, PublicAccessBlockConfiguration, OwnershipControls } = (resource?.Properties ??
      {}) as {
      readonly VersioningConfiguration: { readonly Status: BucketVersioningStatus };
      readonly PublicAccessBlockConfiguration: object;
      readonly OwnershipControls: { readonly Rules: { readonly ObjectOwnership: 'BucketOwnerEnforced' }[] };
    };
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    await client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    await client.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    await client.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn } }],
        },
      }),
    );
  }

  test('a bucket as ModelBucket makes it passes, with the model of the manifest and its version', async () => {
    await modelBucket('models');
    const { VersionId = '' } = await client.send(
      new PutObjectCommand({ Bucket: 'models', Key: 'churn/7/model.onnx', Body: model, ChecksumAlgorithm: 'SHA256' }),
    );
    const argv = ['s3://models/churn/7/model.onnx', '--version-id', VersionId, '--manifest', 'release.json'];
    const { exitCode, statuses } = await verify(...argv, '--key', keyArn);
    expect(statuses).toEqual({
      versioning: 'pass',
      public_access: 'pass',
      policy: 'pass',
      access_lists: 'pass',
      encryption: 'pass',
      version: 'pass',
      sha256: 'pass',
      object_encryption: 'pass',
      object_access_lists: 'pass',
    });
    expect(exitCode).toBe(0);
  });

  test('a bucket as the console of old made it fails, in each thing that it lacks', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'old', ObjectOwnership: 'ObjectWriter' }));
    await client.send(new PutObjectCommand({ Bucket: 'old', Key: 'model.onnx', Body: model }));
    await client.send(new PutObjectAclCommand({ Bucket: 'old', Key: 'model.onnx', ACL: 'public-read' }));
    const { exitCode, statuses } = await verify('s3://old/model.onnx', '--manifest', 'release.json', '--locked');
    expect(statuses).toEqual({
      versioning: 'fail',
      public_access: 'fail',
      policy: 'pass',
      access_lists: 'pass',
      encryption: 'warn',
      version: 'fail',
      sha256: 'pass',
      object_encryption: 'warn',
      object_access_lists: 'fail',
      lock: 'fail',
    });
    expect(exitCode).toBe(100);
  });

  test('a version under object lock is told from one whose lock has ended', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
    for (const [Key, year] of [
      ['now.onnx', new Date().getUTCFullYear() + 1],
      ['then.onnx', 2001],
    ] as const) {
      await client.send(
        new PutObjectCommand({
          ...{ Bucket: 'locked', Key, Body: model },
          ...{ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(Date.UTC(year, 0, 1)) },
        }),
      );
    }
    expect((await verify('s3://locked/now.onnx', '--locked')).statuses).toMatchObject({
      versioning: 'pass',
      lock: 'pass',
    });
    expect((await verify('s3://locked/then.onnx', '--locked')).statuses).toMatchObject({ lock: 'fail' });
  });
});

describe('on a service that speaks S3', () => {
  let store: Peer;
  let client: S3Client;
  let first = '';

  beforeAll(async () => {
    store = await objectStore();
    await createUser('stranger', 'stranger-secret', store.url);
    client = clientOf(store.url, owner.access, owner.secret);
    act(store.url, owner.access, owner.secret);
    await client.send(new CreateBucketCommand({ Bucket: 'models' }));
    await client.send(
      new PutBucketVersioningCommand({ Bucket: 'models', VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const put = await client.send(new PutObjectCommand({ Bucket: 'models', Key: 'model.onnx', Body: model }));
    first = put.VersionId ?? '';
    await client.send(new PutObjectCommand({ Bucket: 'models', Key: 'model.onnx', Body: 'another model' }));
  }, 300_000);
  afterAll(async () => {
    client?.destroy();
    await store?.stop();
  });

  test('an older version is the one released, and the current one is another file', async () => {
    const released = ['s3://models/model.onnx', '--manifest', 'release.json'];
    expect((await verify(...released, '--version-id', first)).statuses).toMatchObject({
      version: 'pass',
      sha256: 'pass',
    });
    expect((await verify(...released)).statuses).toMatchObject({ version: 'pass', sha256: 'fail' });
  });

  test('an object that came in parts is compared by its bytes', async () => {
    const object = { Bucket: 'models', Key: 'parts.onnx' };
    const large = Buffer.alloc(5 * 1024 * 1024 + 1, 7);
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: 'SHA256' }),
    );
    const Parts = [];
    for (const [index, Body] of [large.subarray(0, large.length - 1), large.subarray(large.length - 1)].entries()) {
      const PartNumber = index + 1;
      const part = { ...object, UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' } as const;
      const { ETag, ChecksumSHA256 } = await client.send(new UploadPartCommand(part));
      Parts.push({ ETag, ChecksumSHA256, PartNumber });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
    const digest = createHash('sha256').update(large).digest('hex');
    expect((await verify('s3://models/parts.onnx', '--sha256', digest)).statuses).toMatchObject({ sha256: 'pass' });
    expect((await verify('s3://models/parts.onnx', '--sha256', sha256)).statuses).toMatchObject({ sha256: 'fail' });
  });

  test('a version that is not there fails', async () => {
    const { exitCode, statuses } = await verify('s3://models/none.onnx');
    expect(statuses).toMatchObject({ version: 'fail' });
    expect(exitCode).toBe(100);
  });

  test('a bucket that is not there, and one of a stranger, cannot be judged', async () => {
    expect((await verify('s3://nowhere/model.onnx')).exitCode).toBe(1);
    act(store.url, 'stranger', 'stranger-secret');
    const { exitCode, statuses } = await verify('s3://models/model.onnx');
    expect([exitCode, statuses['versioning']]).toEqual([1, 'error']);
  });
});
