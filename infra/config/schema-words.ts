import { z } from 'zod';

// What several parts of the file are made of.

/** Text whose every fault is told by `error`, which ends the sentence "found x, expected ...". */
export const saying = (error: string) => z.string({ error });
export const matching = (form: RegExp, error: string) => saying(error).regex(form, { error });
export const whole = (least: number, what: string) =>
  z.int({ error: `${what}, at least ${least}` }).min(least, { error: `${what}, at least ${least}` });

export const account = matching(/^\d{12}$/, 'an account: 12 digits, in quotes');
export const arn = (service: string, example: string) => matching(new RegExp(`^arn:aws[a-z-]*:${service}:`), example);
export const instanceType = matching(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/, 'an instance of SageMaker such as ml.m5.xlarge');
/** `core/policy` reads its milliseconds. */
export const duration = matching(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a time such as "30s", "5m" or "2h"');
export const email = matching(/^[^\s@]+@[^\s@]+$/, 'an address of mail');
export const folder = matching(
  /^s3:\/\/[a-z0-9][a-z0-9.-]+(\/[^\s*?]*)?$/,
  'a folder on S3 such as s3://bucket/folder',
);
/** One within a bucket, of its own. */
export const folderBelow = matching(
  /^s3:\/\/[a-z0-9][a-z0-9.-]+\/[^/\s*?]([^\s*?]*[^/\s*?])?$/,
  'a folder within a bucket such as s3://bucket/folder, without a slash at its end',
);
export const percent = whole(1, 'percent').max(100, { error: 'percent, at most 100' });
/** A tag or digest in the environment's own registry, or the whole address of an image in ECR. */
export const image = matching(
  /^(sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[a-z0-9._/-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64}))$/,
  'a tag or digest of the own registry, or <account>.dkr.ecr.<region>.amazonaws.com/name:tag',
);
