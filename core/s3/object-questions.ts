import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { excerpt } from '../text/index.ts';
import { openLists } from './access-lists.ts';
import type { Outcome, Question, S3Api } from './asked.ts';
import { judgeKey } from './bucket-questions.ts';
import { statusOf } from './s3-problem.ts';
import type { StoredModel } from './verify-bucket.ts';

type Head = HeadObjectCommandOutput;

/** Whether an object is the one that was released, and is kept as the bucket keeps them. Where it is not there, that alone is judged. */
export async function objectQuestions(
  client: S3Api,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  { versionId, sha256, keyArn, locked }: StoredModel,
  now: () => Date,
): Promise<readonly Question[]> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  const reading = ['s3:GetObject', 's3:GetObjectVersion', 'kms:Decrypt'] as const;
  let head: Head | undefined;
  let refusal: unknown;
  try {
    head = await client.send(
      new HeadObjectCommand({
        Bucket: bucket,
        Key: key,
        ChecksumMode: 'ENABLED',
        ...(versionId === undefined ? {} : { VersionId: versionId }),
      }),
    );
  } catch (error) {
    refusal = error;
  }
  const there: Question = {
    id: 'version',
    title: versionId === undefined ? 'the object has a version' : 'the object has this version',
    actions: reading,
    judge: async () => {
      if (head !== undefined) return versionOf(head);
      // A HEAD has no words for what is wrong: a version of no possible form is a 400, a delete marker a 405.
      if (![400, 404, 405].includes(statusOf(refusal) ?? 0)) throw refusal;
      const what = versionId === undefined ? 'The object' : `The version ${excerpt(versionId, 80)}`;
      return { status: 'fail', message: `${what} is not there. Check the key and the version.` };
    },
  };
  const found = head;
  if (found === undefined) return [there];
  const version = found.VersionId === undefined || found.VersionId === 'null' ? undefined : found.VersionId;
  return [
    there,
    ...(sha256 === undefined
      ? []
      : [
          {
            id: 'sha256',
            title: 'the object is the one released',
            actions: reading,
            judge: async (): Promise<Outcome> => {
              const kept = keptDigest(found);
              const observed = kept ?? (await digestOf(client, { Bucket: bucket, Key: key }, version));
              const how = kept === undefined ? 'its bytes, which were read' : 'the checksum that S3 keeps of it';
              return observed === sha256.toLowerCase()
                ? { status: 'pass', message: `SHA-256 is the one released, by ${how}.`, observed }
                : {
                    status: 'fail',
                    message: `SHA-256 is ${observed} by ${how}, not ${excerpt(sha256, 80)}: this is another file.`,
                    observed,
                  };
            },
          },
        ]),
    {
      id: 'object_encryption',
      title: keyArn === undefined ? 'the object is encrypted by a key of KMS' : 'the object is encrypted by the key',
      actions: reading,
      judge: async () => judgeKey({ algorithm: found.ServerSideEncryption, key: found.SSEKMSKeyId, wanted: keyArn }),
    },
    {
      id: 'object_access_lists',
      title: "the object's access control list gives nothing away",
      actions: ['s3:GetBucketOwnershipControls', 's3:GetObjectAcl', 's3:GetObjectVersionAcl'],
      judge: () => openLists(client, bucket, { key, versionId: version }),
    },
    ...(locked === true
      ? [
          {
            id: 'lock',
            title: 'the version is locked',
            actions: reading,
            judge: async (): Promise<Outcome> => lockOf(found, now()),
          },
        ]
      : []),
  ];
}

function versionOf({ VersionId }: Head): Outcome {
  return VersionId === undefined || VersionId === 'null'
    ? {
        status: 'fail',
        message:
          'The object has no version: it was written while versioning was off, and can be written over without a trace. Publish it again.',
      }
    : { status: 'pass', message: `The version is ${excerpt(VersionId, 80)}.`, observed: excerpt(VersionId, 80) };
}

function lockOf(
  { ObjectLockMode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus }: Head,
  now: Date,
): Outcome {
  if (ObjectLockLegalHoldStatus === 'ON') return { status: 'pass', message: 'A legal hold is on the version.' };
  if (ObjectLockMode !== undefined && until !== undefined && until > now) {
    const day = until.toISOString().slice(0, 10);
    return { status: 'pass', message: `It is locked (${ObjectLockMode.toLowerCase()}) until ${day}.`, observed: day };
  }
  return {
    status: 'fail',
    message:
      until === undefined
        ? 'Nothing keeps the version from being deleted. Publish it to a bucket with object lock.'
        : `Its lock ended on ${until.toISOString().slice(0, 10)}. Lock it anew.`,
  };
}

/** The SHA-256 of the whole object in hexadecimal, where S3 checked and kept one; of a composite upload it only has one of its parts' digests. */
function keptDigest({ ChecksumSHA256, ChecksumType }: Head): string | undefined {
  if (ChecksumSHA256 === undefined || ChecksumType === 'COMPOSITE' || ChecksumSHA256.includes('-')) return undefined;
  return Buffer.from(ChecksumSHA256, 'base64').toString('hex');
}

async function digestOf(
  client: S3Api,
  object: { readonly Bucket: string; readonly Key: string },
  VersionId: string | undefined,
): Promise<string> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { Body } = await client.send(
    new GetObjectCommand({ ...object, ...(VersionId === undefined ? {} : { VersionId }) }),
  );
  if (!(Body instanceof Readable)) throw new Error('the object came without a body');
  const hash = createHash('sha256');
  for await (const chunk of Body) hash.update(chunk);
  return hash.digest('hex');
}
