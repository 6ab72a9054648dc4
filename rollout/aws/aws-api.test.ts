import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type ApiAnswer, ApiStandIn, shapeErrors, standInCredentials } from './api-stand-in.ts';
import { AwsApi } from './aws-api.ts';
import type { AwsCredentials } from './credentials.ts';

const arn = 'arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn';
const listed = z.looseObject({ Tags: z.array(z.unknown()) });
const about = { title: 'endpoint churn' };
let undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of undo) await each();
  undo = [];
});

async function stage(
  before?: ApiStandIn['before'],
  credentials: (fresh?: boolean) => Promise<AwsCredentials> = async () => standInCredentials,
) {
  const aws = await ApiStandIn.start({ 'sagemaker:ListTags': () => ({ output: { Tags: [] } }) });
  aws.before = before;
  const api = new AwsApi('sagemaker', { region: 'eu-west-1', credentials, endpoint: aws.url, patienceMs: 1500 });
  undo.push(
    () => aws[Symbol.asyncDispose](),
    () => api[Symbol.asyncDispose](),
  );
  const ask = () => api.call('ListTags', { ResourceArn: arn }, listed, about);
  return { aws, api, ask };
}

/** Refuses so many times, then answers. */
function refusing(answer: ApiAnswer, times: number): ApiStandIn['before'] {
  let left = times;
  return () => (left-- > 0 ? answer : undefined);
}

describe('a call of an AWS API', () => {
  test('is signed, has the shape of the API, and tells AWS’s time', async () => {
    const { aws, api, ask } = await stage();
    aws.clock = () => Date.now() + 120_000;
    expect(api.now).toBeUndefined();
    expect(await ask()).toEqual({ Tags: [] });
    expect(Math.abs((api.now ?? 0) - Date.now() - 120_000)).toBeLessThan(5000);
    expect(aws.faults).toEqual([]);
  });

  test.each([
    { refuse: 'ThrottlingException', message: 'Rate exceeded' },
    { refuse: 'RequestLimitExceeded', status: 503 },
    { refuse: 'InternalFailure', status: 500 },
    { refuse: 'ServiceUnavailable', status: 503 },
  ])('is asked again after $refuse', async (answer) => {
    const { aws, ask } = await stage(refusing(answer, 3));
    expect(await ask()).toEqual({ Tags: [] });
    expect(aws.calls).toHaveLength(4);
  });

  test('gives up when AWS throttles for too long, and says so', async () => {
    const { aws, ask } = await stage(() => ({ refuse: 'ThrottlingException', message: 'Rate exceeded' }));
    await expect(ask()).rejects.toMatchObject({ name: 'PeerError', problems: [{ code: 'throttled' }] });
    expect(aws.calls.length).toBeGreaterThan(3);
  });

  test('signs with AWS’s time once AWS says that the clock is wrong', async () => {
    const { aws, ask } = await stage();
    aws.clock = () => Date.now() + 3_600_000;
    expect(await ask()).toEqual({ Tags: [] });
    expect(aws.calls).toHaveLength(1);
  });

  test('takes new credentials when the ones it has have expired', async () => {
    const asked: boolean[] = [];
    const { ask } = await stage(
      refusing(
        { refuse: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
        1,
      ),
      async (fresh = false) => {
        asked.push(fresh);
        return standInCredentials;
      },
    );
    expect(await ask()).toEqual({ Tags: [] });
    expect(asked).toEqual([false, true]);
  });

  test.each([
    ['ExpiredTokenException', 'The security token included in the request is expired', 'unauthorized', /expired/],
    [
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
      'unauthorized',
      /does not know/,
    ],
    [
      'AccessDeniedException',
      `User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: sagemaker:ListTags on resource: ${arn} because no identity-based policy allows the sagemaker:ListTags action`,
      'forbidden',
      /may not sagemaker:ListTags on arn:aws:sagemaker:eu-west-1:123456789012:endpoint\/churn/,
    ],
    ['AccessDenied', 'no', 'forbidden', /may not sagemaker:ListTags/],
    ['ValidationException', 'Could not find endpoint "arn"', 'not-found', /no such thing/],
    ['ValidationException', 'Cannot update in-progress endpoint "arn"', 'endpoint-busy', /one change at a time/],
    ['ResourceLimitExceeded', 'no more', 'aws-limit', /limit/],
    ['ValidationException', 'other\u001b[2J', 'aws-refused', /HTTP 400/],
  ])('explains %s: %s', async (refuse, message, code, words) => {
    const { ask } = await stage(() => ({ refuse, message }));
    const thrown = await ask().catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      problems: [{ code, message: expect.stringMatching(words), fix: expect.stringMatching(/\S/) }],
    });
    expect(String(thrown)).not.toContain('\u001b');
    expect(String(thrown)).not.toContain(standInCredentials.sessionToken);
  });

  test('explains an answer that is none of the API, and an AWS that is not there', async () => {
    const { aws, ask } = await stage();
    await aws.fail('babbles');
    await expect(ask()).rejects.toMatchObject({ problems: [{ code: 'broken-answer' }] });
    await aws.fail('is-gone');
    await expect(ask()).rejects.toMatchObject({ problems: [{ code: 'connection-refused' }] });
  });
});

describe('the stand-in of AWS', () => {
  test('refuses what the API would: what is missing, unknown, of another type, too long or out of pattern', () => {
    const wrong = (value: unknown) => shapeErrors('sagemaker', 'AddTagsInput', value);
    expect(wrong({ ResourceArn: arn, Tags: [{ Key: 'sluice:rollout', Value: 'v1:a+/=' }] })).toEqual([]);
    expect(wrong({ Tags: [] })).toEqual(['.ResourceArn: missing']);
    expect(wrong({ ResourceArn: arn, Tags: [{ Key: 'a', Value: '{"a":1}' }] })[0]).toContain('.Tags[0].Value: not as');
    expect(wrong({ ResourceArn: arn, Tags: [{ Key: 'a', Value: 'x'.repeat(257) }] })[0]).toContain('above 256');
    expect(wrong({ ResourceArn: arn, Tags: {}, More: 1 })).toEqual(['.Tags: no list', '.More: unknown']);
    expect(shapeErrors('sagemaker', 'TrafficRoutingConfigType', 'ROLLING')).toEqual([': not of the enum']);
    expect(shapeErrors('sagemaker', 'WaitIntervalInSeconds', 3601)).toEqual([': above 3600']);
  });
});
