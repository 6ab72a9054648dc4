import { InputError, type Problem } from '../problem/index.ts';
import type { Check } from '../report/index.ts';
import { excerpt } from '../text/index.ts';
import { asked, type S3Api } from './asked.ts';
import { bucketQuestions } from './bucket-questions.ts';
import { objectQuestions } from './object-questions.ts';
import { s3AddressOf } from './s3-address.ts';

/** What a release says of a model that S3 keeps. */
export interface StoredModel {
  /** `s3://bucket/key` of an object; `s3://bucket` or `s3://bucket/prefix/` for the bucket alone. */
  readonly address: string;
  /** The version that was released. @default the current one, which is told */
  readonly versionId?: string | undefined;
  /** Of the whole file, in hexadecimal. Where S3 keeps none, the object is read. @default not compared */
  readonly sha256?: string | undefined;
  /** The ARN of the key that bucket and object have to be encrypted by. @default any key of KMS; without one it is a warning */
  readonly keyArn?: string | undefined;
  /** Whether the version must be locked, now. @default false */
  readonly locked?: boolean | undefined;
}

/**
 * Holds a bucket, and an object in it, against what a release needs: versions are kept, nobody from outside gets in, it is encrypted by a key, and
 * the object is the very one that was released. Asks only; changes nothing.
 *
 * Throws an `InputError` for demands that cannot be, a `PeerError` where the bucket or S3 is not there.
 */
export async function verifyBucket(
  model: StoredModel,
  client: S3Api,
  now: () => Date = () => new Date(),
): Promise<readonly Check[]> {
  const address = s3AddressOf(model.address);
  const [first = badAddress(model.address), ...rest] = problemsOf(model);
  if (address === undefined || problemsOf(model).length > 0) throw new InputError([first, ...rest]);
  const { bucket, key } = address;
  const questions = [
    ...(await bucketQuestions(client, bucket, model)),
    ...(isObject(key) ? await objectQuestions(client, { bucket, key }, model, now) : []),
  ];
  const checks: Check[] = [];
  // One after another: whoever reads S3's log sees them in the order of the report.
  for (const question of questions) checks.push(await asked(model.address, question));
  return checks;
}

function isObject(key: string): boolean {
  return key !== '' && !key.endsWith('/');
}

function problemsOf({ address, versionId, sha256, keyArn, locked }: StoredModel): readonly Problem[] {
  const found = s3AddressOf(address);
  if (found === undefined) return [badAddress(address)];
  const problems: Problem[] = [];
  if (sha256 !== undefined && !/^[\da-f]{64}$/i.test(sha256)) {
    problems.push({
      code: 'bad-digest',
      message: 'the digest is no SHA-256',
      found: excerpt(sha256, 80),
      expected: '64 hexadecimal digits',
      fix: 'Copy it from the release manifest, or from sha256sum.',
    });
  }
  if (keyArn !== undefined && !/^arn:aws[a-z-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(keyArn)) {
    problems.push({
      code: 'bad-key',
      message: 'the key is no ARN of a key',
      found: excerpt(keyArn, 120),
      expected: 'arn:aws:kms:region:account:key/id',
      fix: 'Give the ARN of the key itself; an alias may be moved to another.',
    });
  }
  const ofObject = Object.entries({
    'a version': versionId,
    'a digest': sha256,
    'a lock': locked === true ? '' : undefined,
  });
  const given = ofObject.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (!isObject(found.key) && given.length > 0) {
    problems.push({
      code: 'no-object',
      message: `${given.join(' and ')} are of an object, and ${excerpt(address, 200)} names none`,
      expected: 's3://bucket/key',
      fix: 'Name the object, or leave them out to look at the bucket alone.',
    });
  }
  return problems;
}

function badAddress(address: string): Problem {
  return {
    code: 'bad-address',
    message: `${excerpt(address, 200)} is no address of S3`,
    expected: 's3://bucket/key',
    fix: 'Correct the address.',
  };
}
