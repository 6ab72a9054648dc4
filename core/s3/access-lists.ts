import type { Grant } from '@aws-sdk/client-s3';
import { excerpt } from '../text/index.ts';
import { type Outcome, type S3Api, unlessAbsent } from './asked.ts';

/** Of an object, or of the bucket where there is no key. */
export interface Listed {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Whether access control lists are off, or give nobody but the owner anything. */
export async function openLists(client: S3Api, Bucket: string, object?: Listed): Promise<Outcome> {
  const { GetBucketOwnershipControlsCommand, GetBucketAclCommand, GetObjectAclCommand } = await import(
    '@aws-sdk/client-s3'
  );
  const ownership = await unlessAbsent(['OwnershipControlsNotFoundError'], () =>
    client.send(new GetBucketOwnershipControlsCommand({ Bucket })),
  );
  if (ownership?.OwnershipControls?.Rules?.some(({ ObjectOwnership }) => ObjectOwnership === 'BucketOwnerEnforced')) {
    return { status: 'pass', message: 'Access control lists are off: policies alone decide.' };
  }
  const { Owner, Grants = [] } =
    object === undefined
      ? await client.send(new GetBucketAclCommand({ Bucket }))
      : await client.send(
          new GetObjectAclCommand({
            Bucket,
            Key: object.key,
            ...(object.versionId === undefined ? {} : { VersionId: object.versionId }),
          }),
        );
  const others = Grants.filter(({ Grantee }) => Grantee?.ID === undefined || Grantee.ID !== Owner?.ID);
  return others.length === 0
    ? { status: 'pass', message: 'Access control lists are on, and give nobody but the owner anything.' }
    : {
        status: 'fail',
        message: `An access control list gives ${others.map(granted).join(', ')}. Set the object ownership to BucketOwnerEnforced.`,
      };
}

function granted({ Grantee, Permission }: Grant): string {
  const group = /groups\/global\/(\w+)$/.exec(Grantee?.URI ?? '')?.[1];
  const who = group ?? Grantee?.DisplayName ?? Grantee?.ID ?? Grantee?.URI ?? 'somebody';
  return `${excerpt(Permission ?? 'something', 40)} to ${excerpt(who, 80)}`;
}
