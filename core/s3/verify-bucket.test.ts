import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { S3Api } from './asked.ts';
import { type StoredModel, verifyBucket } from './index.ts';

const bytes = Buffer.from('a model');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/0c1e2d3a-0000-4000-8000-000000000000';
const object = 's3://acme-models/churn/7/model.onnx';
const now = () => new Date('2026-11-22T12:00:00Z');

class Refused extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(name: string, httpStatusCode: number) {
    super(name);
    this.name = name;
    this.$metadata = { httpStatusCode };
  }
}

type Answers = Readonly<Record<string, object | Refused>>;

/** A bucket as `ModelBucket` makes it, and a model published with its checksum. */
const kept: Answers = {
  GetBucketVersioning: { Status: 'Enabled' },
  GetPublicAccessBlock: {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
  },
  GetBucketPolicyStatus: { PolicyStatus: { IsPublic: false } },
  GetBucketOwnershipControls: { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } },
  GetBucketEncryption: {
    ServerSideEncryptionConfiguration: {
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn } }],
    },
  },
  HeadObject: {
    VersionId: 'v7',
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: keyArn,
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
    ChecksumType: 'FULL_OBJECT',
  },
};

/** Answers each call by its name, and knows what was asked. */
function s3(changed: Answers = {}) {
  const calls: { readonly name: string; readonly input: object }[] = [];
  const send = async (command: { readonly input: object }) => {
    const name = command.constructor.name.replace(/Command$/, '');
    calls.push({ name, input: command.input });
    const answer = { ...kept, ...changed }[name];
    if (answer === undefined) throw new Error(`nobody expected ${name}`);
    if (answer instanceof Refused) throw answer;
    return answer;
  };
  return { client: { send } as unknown as S3Api, calls };
}

/** `status` of each check by the end of its id. */
async function statuses(model: Partial<StoredModel>, changed: Answers = {}): Promise<Record<string, string>> {
  const checks = await verifyBucket({ address: object, ...model }, s3(changed).client, now);
  return Object.fromEntries(checks.map(({ id, status }) => [id.replace('gate/bucket/', ''), status]));
}

async function messageOf(id: string, model: Partial<StoredModel>, changed: Answers): Promise<string> {
  const checks = await verifyBucket({ address: object, ...model }, s3(changed).client, now);
  return checks.find((check) => check.id === `gate/bucket/${id}`)?.message ?? 'no such check';
}

describe('a bucket as ModelBucket makes it', () => {
  test('passes with its model, by the checksum that S3 keeps', async () => {
    const { client, calls } = s3();
    const checks = await verifyBucket({ address: object, versionId: 'v7', sha256, keyArn }, client, now);
    expect(checks.map(({ id, status }) => [id, status])).toEqual(
      [
        'versioning',
        'public_access',
        'policy',
        'access_lists',
        'encryption',
        'version',
        'sha256',
        'object_encryption',
        'object_access_lists',
      ].map((id) => [`gate/bucket/${id}`, 'pass']),
    );
    expect(calls.find(({ name }) => name === 'HeadObject')?.input).toMatchObject({
      Key: 'churn/7/model.onnx',
      VersionId: 'v7',
      ChecksumMode: 'ENABLED',
    });
    expect(calls.some(({ name }) => name === 'GetObject')).toBe(false);
  });

  test.each(['s3://acme-models', 's3://acme-models/', 's3://acme-models/churn/'])(
    'is looked at alone as %s',
    async (address) => {
      const { client, calls } = s3();
      expect(await verifyBucket({ address }, client, now)).toHaveLength(5);
      expect(calls.some(({ name }) => name === 'HeadObject')).toBe(false);
    },
  );
});

describe('what is found', () => {
  test.each<[string, string, string, Answers, RegExp]>([
    ['versioning that was never on', 'versioning', 'fail', { GetBucketVersioning: {} }, /never enabled/],
    ['versioning that is off', 'versioning', 'fail', { GetBucketVersioning: { Status: 'Suspended' } }, /suspended/],
    [
      'no block of public access',
      'public_access',
      'fail',
      { GetPublicAccessBlock: new Refused('NoSuchPublicAccessBlockConfiguration', 404) },
      /BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets/,
    ],
    ['a public policy', 'policy', 'fail', { GetBucketPolicyStatus: { PolicyStatus: { IsPublic: true } } }, /anybody/],
    [
      'no policy at all',
      'policy',
      'pass',
      { GetBucketPolicyStatus: new Refused('NoSuchBucketPolicy', 404) },
      /no policy/,
    ],
    [
      "encryption by S3's own key",
      'encryption',
      'warn',
      {
        GetBucketEncryption: {
          ServerSideEncryptionConfiguration: {
            Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
          },
        },
      },
      /by S3 itself/,
    ],
    [
      'no encryption',
      'encryption',
      'warn',
      { GetBucketEncryption: new Refused('ServerSideEncryptionConfigurationNotFoundError', 404) },
      /not encrypted/,
    ],
    ['an object of before versioning', 'version', 'fail', { HeadObject: { VersionId: 'null' } }, /has no version/],
    ['no object', 'version', 'fail', { HeadObject: new Refused('NotFound', 404) }, /not there/],
    [
      'a right that is missing',
      'versioning',
      'error',
      { GetBucketVersioning: new Refused('AccessDenied', 403) },
      /allow it s3:GetBucketVersioning/,
    ],
    [
      'a service that knows no such thing',
      'public_access',
      'skipped',
      { GetPublicAccessBlock: new Refused('NotImplemented', 501) },
      /does not know/,
    ],
  ])('%s', async (_what, id, status, changed, words) => {
    expect((await statuses({}, changed))[id]).toBe(status);
    expect(await messageOf(id, {}, changed)).toMatch(words);
  });

  const listsOn = { GetBucketOwnershipControls: new Refused('OwnershipControlsNotFoundError', 404) };
  const owner = { Owner: { ID: 'o' } };
  const own = { Grantee: { ID: 'o', Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' };
  const all = {
    Grantee: { URI: 'http://acs.amazonaws.com/groups/global/AllUsers', Type: 'Group' },
    Permission: 'READ',
  };

  test('access control lists that give nobody but the owner anything', async () => {
    const lists = { GetBucketAcl: { ...owner, Grants: [own] }, GetObjectAcl: { ...owner, Grants: [own] } };
    expect(await statuses({}, { ...listsOn, ...lists })).toMatchObject({
      access_lists: 'pass',
      object_access_lists: 'pass',
    });
  });

  test('an object that everybody may read, in a bucket that nobody may', async () => {
    const lists = { GetBucketAcl: { ...owner, Grants: [own] }, GetObjectAcl: { ...owner, Grants: [own, all] } };
    const changed = { ...listsOn, ...lists };
    expect(await statuses({}, changed)).toMatchObject({ access_lists: 'pass', object_access_lists: 'fail' });
    expect(await messageOf('object_access_lists', {}, changed)).toContain('READ to AllUsers');
  });

  test('another key than the one asked for, of bucket and object', async () => {
    const other = keyArn.replace('key/0', 'key/1');
    expect(await statuses({ keyArn: other })).toMatchObject({ encryption: 'fail', object_encryption: 'fail' });
  });

  test('another file than the one released', async () => {
    expect(await statuses({ sha256: 'a'.repeat(64) })).toMatchObject({ sha256: 'fail' });
  });

  test.each([
    ['no checksum', {}],
    ["a checksum of its parts' checksums", { ChecksumSHA256: 'c29tZXRoaW5n-3', ChecksumType: 'COMPOSITE' }],
  ])('that the bytes are right, of an object with %s', async (_what, checksum) => {
    const { client, calls } = s3({
      HeadObject: { VersionId: 'v7', ...checksum },
      GetObject: { Body: Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]) },
    });
    const checks = await verifyBucket({ address: object, sha256 }, client, now);
    expect(checks.find(({ id }) => id.endsWith('/sha256'))).toMatchObject({ status: 'pass', observed: sha256 });
    // The version that was looked at, whatever is published meanwhile.
    expect(calls.find(({ name }) => name === 'GetObject')?.input).toMatchObject({ VersionId: 'v7' });
  });

  test.each<[string, object, string]>([
    ['is on', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date('2027-01-01') }, 'pass'],
    ['has ended', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date('2026-01-01') }, 'fail'],
    ['is a legal hold', { ObjectLockLegalHoldStatus: 'ON' }, 'pass'],
    ['is none', {}, 'fail'],
  ])('a lock that %s', async (_what, head, status) => {
    const HeadObject = { ...kept['HeadObject'], ...head };
    expect(await statuses({ locked: true }, { HeadObject })).toMatchObject({ lock: status });
  });
});

describe('what cannot be judged', () => {
  test('is refused all at once', async () => {
    const model = { address: 's3://acme-models/', versionId: 'v', sha256: 'x', keyArn: 'alias/models' };
    await expect(verifyBucket(model, s3().client, now)).rejects.toMatchObject({
      problems: [{ code: 'bad-digest' }, { code: 'bad-key' }, { code: 'no-object' }],
    });
    await expect(verifyBucket({ address: 'acme-models' }, s3().client, now)).rejects.toMatchObject({
      problems: [{ code: 'bad-address' }],
    });
  });

  test.each([
    ['a bucket that is not there', new Refused('NoSuchBucket', 404), 'missing-file'],
    ['credentials that are not there', new Refused('CredentialsProviderError', 0), 'no-credentials'],
  ])('is %s', async (_what, refused, code) => {
    await expect(statuses({}, { GetBucketVersioning: refused })).rejects.toMatchObject({ problems: [{ code }] });
  });
});
