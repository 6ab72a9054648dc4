import type { S3Client } from '@aws-sdk/client-s3';
import { PeerError } from '../problem/index.ts';
import type { Check } from '../report/index.ts';
import { s3Problem, statusOf } from './s3-problem.ts';

/** The calls that are made, as AWS's client makes them. */
export type S3Api = Pick<S3Client, 'send'>;

/** What came of one thing that was asked for. */
export type Outcome = Pick<Check, 'status' | 'message'> & Partial<Pick<Check, 'observed' | 'bound'>>;

/** What is asked, what it is called, and what the job's role needs for it. */
export interface Question {
  /** The end of the check's id. */
  readonly id: string;
  readonly title: string;
  /** The actions of IAM: named where they are refused. */
  readonly actions: readonly [string, ...string[]];
  readonly judge: () => Promise<Outcome>;
}

/**
 * A check of what S3 answers. What the job may not ask is an error of that check, what the service has no word for is skipped; a bucket or a
 * service that is not there throws a `PeerError`.
 */
export async function asked(address: string, { id, title, actions, judge }: Question): Promise<Check> {
  const check = { id: `gate/bucket/${id}`, title, section: 'gate' } as const;
  try {
    return { ...check, ...(await judge()) };
  } catch (error) {
    const status = statusOf(error);
    if (status === 403 && actions.length > 0) {
      return {
        ...check,
        status: 'error',
        message: `The job's role may not ask: allow it ${actions.join(' and ')}.`,
      };
    }
    if (status === 501 || nameOf(error) === 'NotImplemented') {
      return { ...check, status: 'skipped', message: 'The service does not know of this.' };
    }
    throw new PeerError(
      { ...s3Problem(error, address, actions.join(' and ')), place: { file: address } },
      { cause: error },
    );
  }
}

/** The error's name, which is the code that S3 answered. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The answer, or `undefined` where S3 says by one of these codes that there is none. */
export async function unlessAbsent<Answer>(
  codes: readonly string[],
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (codes.includes(nameOf(error))) return undefined;
    throw error;
  }
}
