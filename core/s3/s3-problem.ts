import type { Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';

/** What an error of the SDK means for whoever asked for `source`. `allow`: what the job's role would need. */
export function s3Problem(error: unknown, source: string, allow: string): Omit<Problem, 'place'> {
  const name = error instanceof Error ? error.name : '';
  const text = excerpt(error instanceof Error ? error.message : String(error), 160);
  const status = statusOf(error);
  const found = status === undefined ? `${excerpt(name, 60)}: ${text}` : `${excerpt(name, 60)} (${status})`;
  const shown = excerpt(source, 200);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return {
      code: 'no-credentials',
      message: `${shown} cannot be read: the job has no AWS credentials`,
      found: text,
      fix: 'Run aws-actions/configure-aws-credentials in an earlier step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    };
  }
  if (name === 'NoSuchBucket') {
    return {
      code: 'missing-file',
      message: `${shown} is in a bucket that does not exist`,
      found,
      fix: 'Check the bucket.',
    };
  }
  if (status === 404) {
    return { code: 'missing-file', message: `${shown} does not exist`, found, fix: 'Check the bucket and the key.' };
  }
  if (status === 401 || status === 403) {
    return {
      code: 'no-permission',
      message: `${shown} may not be read with the job's credentials`,
      found,
      fix: `Allow ${allow}.`,
    };
  }
  if (/region is missing/i.test(text)) {
    return {
      code: 'no-region',
      message: `${shown} cannot be read without a region`,
      found: text,
      fix: 'Set AWS_REGION.',
    };
  }
  return {
    code: 'unreachable',
    message: `${shown} cannot be fetched`,
    found,
    fix: 'Run the job again; check AWS_REGION.',
  };
}

/** The HTTP status of an answer, where there was one. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
