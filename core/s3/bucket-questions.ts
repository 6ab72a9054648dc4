import { excerpt } from '../text/index.ts';
import { openLists } from './access-lists.ts';
import { type Question, type S3Api, unlessAbsent } from './asked.ts';

/** How a bucket has to be kept for what is released from it: everything that `ModelBucket` sets. */
export async function bucketQuestions(
  client: S3Api,
  bucket: string,
  { keyArn }: { readonly keyArn?: string | undefined },
): Promise<readonly Question[]> {
  const {
    GetBucketVersioningCommand,
    GetPublicAccessBlockCommand,
    GetBucketPolicyStatusCommand,
    GetBucketEncryptionCommand,
  } = await import('@aws-sdk/client-s3');
  const Bucket = bucket;
  return [
    {
      id: 'versioning',
      title: 'versions are kept',
      actions: ['s3:GetBucketVersioning'],
      judge: async () => {
        const { Status = 'never enabled' } = await client.send(new GetBucketVersioningCommand({ Bucket }));
        return Status === 'Enabled'
          ? { status: 'pass', message: 'Versioning is enabled: what is written over stays.', observed: Status }
          : {
              status: 'fail',
              message: `Versioning ${Status === 'never enabled' ? 'was' : 'is'} ${excerpt(Status.toLowerCase(), 40)}: a model that is written over is gone. Enable it.`,
              observed: excerpt(Status, 40),
            };
      },
    },
    {
      id: 'public_access',
      title: 'public access is blocked',
      actions: ['s3:GetBucketPublicAccessBlock'],
      judge: async () => {
        const answer = await unlessAbsent(['NoSuchPublicAccessBlockConfiguration'], () =>
          client.send(new GetPublicAccessBlockCommand({ Bucket })),
        );
        const { PublicAccessBlockConfiguration: block = {} } = answer ?? {};
        const open = (
          ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const
        ).filter((name) => block[name] !== true);
        return open.length === 0
          ? { status: 'pass', message: 'All four blocks of public access are on.' }
          : { status: 'fail', message: `Public access is not blocked by ${open.join(', ')}. Turn all four on.` };
      },
    },
    {
      id: 'policy',
      title: 'the policy is not public',
      actions: ['s3:GetBucketPolicyStatus'],
      judge: async () => {
        const answer = await unlessAbsent(['NoSuchBucketPolicy'], () =>
          client.send(new GetBucketPolicyStatusCommand({ Bucket })),
        );
        if (answer === undefined) return { status: 'pass', message: 'The bucket has no policy.' };
        return answer.PolicyStatus?.IsPublic === false
          ? { status: 'pass', message: 'S3 calls its policy not public.' }
          : { status: 'fail', message: 'Its policy lets anybody in. Name who may read instead.' };
      },
    },
    {
      id: 'access_lists',
      title: 'access control lists give nothing away',
      actions: ['s3:GetBucketOwnershipControls', 's3:GetBucketAcl'],
      judge: () => openLists(client, bucket),
    },
    {
      id: 'encryption',
      title: keyArn === undefined ? 'encrypted by a key of KMS' : 'encrypted by the key',
      actions: ['s3:GetEncryptionConfiguration'],
      judge: async () => {
        const answer = await unlessAbsent(['ServerSideEncryptionConfigurationNotFoundError'], () =>
          client.send(new GetBucketEncryptionCommand({ Bucket })),
        );
        const [rule] = answer?.ServerSideEncryptionConfiguration?.Rules ?? [];
        const { SSEAlgorithm, KMSMasterKeyID } = rule?.ApplyServerSideEncryptionByDefault ?? {};
        return judgeKey({ algorithm: SSEAlgorithm, key: KMSMasterKeyID, wanted: keyArn });
      },
    },
  ];
}

/** By what something is encrypted, and by what it should be. */
export function judgeKey({
  algorithm,
  key,
  wanted,
}: {
  readonly algorithm: string | undefined;
  readonly key: string | undefined;
  readonly wanted: string | undefined;
}): { status: 'pass' | 'warn' | 'fail'; message: string; observed: string } {
  const ofKms = algorithm?.startsWith('aws:kms') === true;
  const observed = excerpt(ofKms ? (key ?? 'the key that AWS keeps for S3') : (algorithm ?? 'nothing'), 120);
  if (wanted === undefined) {
    return ofKms
      ? { status: 'pass', message: `The key is ${observed}.`, observed }
      : {
          status: 'warn',
          message: `It is ${algorithm === undefined ? 'not encrypted' : 'encrypted by S3 itself'}: whoever may read the object needs no key. Use a key of KMS.`,
          observed,
        };
  }
  return ofKms && sameKey(key, wanted)
    ? { status: 'pass', message: 'It is the key that was asked for.', observed }
    : { status: 'fail', message: `The key is ${observed}, not ${excerpt(wanted, 120)}.`, observed };
}

/** A bucket may name its key by its identifier alone. */
function sameKey(found: string | undefined, wanted: string): boolean {
  return found === wanted || (found !== undefined && /^[\da-f-]{36}$/.test(found) && wanted.endsWith(`:key/${found}`));
}
