import * as z from 'zod';
import type { Problem } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import type { PlainAnswer } from '../http-question.ts';

/** What was asked, in the words of IAM: `sagemaker:AddTags`. */
export interface AwsAsked {
  readonly action: string;
  readonly title: string;
}

/** An answer that is a refusal, as the services tell it. */
export interface AwsRefused {
  readonly status: number;
  /** `ThrottlingException`; empty when the answer names none. */
  readonly type: string;
  readonly message: string;
}

const body = z.looseObject({
  __type: z.string().exactOptional(),
  code: z.string().exactOptional(),
  message: z.string().nullish(),
  Message: z.string().nullish(),
});

/** Reads a refusal of the JSON protocols: the type is in a header or in `__type`, with or without its namespace. */
export function refusedBy({ status, headers, text }: PlainAnswer): AwsRefused {
  const { data } = body.safeParse(parsedJson(text));
  // The query-compatible services put the code of old first: `Throttling;Sender`.
  const told =
    headers['x-amzn-query-error']?.split(';')[0] ?? headers['x-amzn-errortype'] ?? data?.__type ?? data?.code ?? '';
  const type = told.split(':')[0]?.split('#').at(-1) ?? '';
  return { status, type, message: excerpt(data?.message ?? data?.Message ?? text, 400) };
}

const throttled =
  /^(Throttling|ThrottlingException|ThrottledException|TooManyRequestsException|RequestLimitExceeded|RequestThrottled|RequestThrottledException|SlowDown|PriorRequestNotComplete)$/;
const expired = /^(ExpiredToken|ExpiredTokenException|RequestExpired)$/;
const unknown =
  /^(UnrecognizedClientException|InvalidClientTokenId|MissingAuthenticationToken|MissingAuthenticationTokenException|InvalidAccessKeyId)$/;
const denied = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|NotAuthorized)$/;

/** Asking again, later, may be answered. */
export function isPassing({ status, type }: AwsRefused): boolean {
  return status === 429 || status >= 500 || throttled.test(type);
}

export function isExpired({ type }: AwsRefused): boolean {
  return expired.test(type);
}

/** The signature is right and its time is not: one of the two clocks is wrong. */
export function isSkewed({ type, message }: AwsRefused): boolean {
  return (
    type === 'RequestTimeTooSkewed' ||
    (/^(InvalidSignatureException|SignatureDoesNotMatch)$/.test(type) &&
      /signature expired|not yet current/i.test(message))
  );
}

/** An endpoint takes one change at a time. */
function isInProgress({ type, message }: AwsRefused): boolean {
  return type === 'ConflictException' || (type === 'ValidationException' && /in-progress|in progress/i.test(message));
}

/** What is wrong, and what to do about it. Codes that asking again does not mend: `forbidden`, `unauthorized`, `not-found`. */
export function refusalProblem(refused: AwsRefused, { action, title }: AwsAsked): Problem {
  const { status, type, message: told } = refused;
  const found = [type === '' ? `HTTP ${status}` : type, told].filter((part) => part !== '').join(': ');
  if (isExpired(refused)) {
    return {
      code: 'unauthorized',
      message: 'the AWS credentials have expired',
      found,
      fix: 'Get new ones in a step before this one, for as long as the rollout may take (role-duration-seconds of aws-actions/configure-aws-credentials), or use a source that renews them; then run it again with the same id.',
    };
  }
  if (unknown.test(type)) {
    return {
      code: 'unauthorized',
      message: 'AWS does not know these credentials',
      found,
      fix: 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, that they belong together, and the region: it has to be enabled for the account.',
    };
  }
  if (isSkewed(refused)) {
    return {
      code: 'unauthorized',
      message: 'AWS does not take the time of the request',
      found,
      fix: 'Set the clock of this machine (NTP).',
    };
  }
  if (denied.test(type) || (status === 403 && type === '')) {
    const [, named] = /not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)/.exec(told) ?? [];
    const [, on] = /on resource: (\S+)/.exec(told) ?? [];
    const what = named ?? action;
    return {
      code: 'forbidden',
      message: `the role may not ${what}${on === undefined ? '' : ` on ${excerpt(on, 200)}`}`,
      found,
      fix: `Allow it ${what}: rollout/traffic/sagemaker/README.md has the least policy; an explicit deny, a boundary or an SCP may also be in the way.`,
    };
  }
  if (type === 'ResourceNotFound' || type === 'ResourceNotFoundException' || /could not find/i.test(told)) {
    return {
      code: 'not-found',
      message: `${title}: AWS has no such thing`,
      found,
      fix: 'Correct its name, the region and the account in use: a rollout changes what is there, it creates nothing.',
    };
  }
  if (isInProgress(refused)) {
    return {
      code: 'endpoint-busy',
      message: `${title} is being changed, and takes one change at a time`,
      found,
      fix: 'Wait until it is InService; see in CloudTrail who changes it beside this rollout.',
    };
  }
  if (throttled.test(type) || status === 429) {
    return {
      code: 'throttled',
      message: `AWS throttles ${action}`,
      found,
      fix: 'Look less often (analysis.look_every), or ask AWS for a higher rate.',
    };
  }
  if (type === 'ResourceLimitExceeded' || type === 'LimitExceededException') {
    return {
      code: 'aws-limit',
      message: `a limit of the account stops ${action}`,
      found,
      fix: 'Free some of it, or ask for more in Service Quotas.',
    };
  }
  return {
    code: status >= 500 ? 'aws-away' : 'aws-refused',
    message: `AWS answers HTTP ${status} to ${action}`,
    found,
    fix: status >= 500 ? 'See the AWS Health Dashboard.' : 'Follow what it says.',
  };
}
