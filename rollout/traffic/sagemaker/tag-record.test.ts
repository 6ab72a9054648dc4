import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { standInCredentials } from '../../aws/api-stand-in.ts';
import { AwsApi } from '../../aws/aws-api.ts';
import { TrafficConflict } from '../../traffic-provider.ts';
import { EndpointStandIn } from './endpoint-stand-in.ts';
import { roomInTags, TagRecord, type TagRecordOptions, tagPrefix } from './tag-record.ts';

async function begin() {
  const endpoint = new EndpointStandIn();
  const aws = await endpoint.start();
  const api = new AwsApi('sagemaker', {
    region: 'eu-west-1',
    credentials: async () => standInCredentials,
    endpoint: aws.url,
    patienceMs: 500,
  });
  const open = (more: Partial<TagRecordOptions> = {}) =>
    new TagRecord({ api, arn: async () => endpoint.arn, title: 'endpoint churn', ...more });
  return {
    endpoint,
    aws,
    api,
    open,
    own: () => [...endpoint.tags.keys()].filter((key) => key.startsWith(tagPrefix)),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await aws[Symbol.asyncDispose]();
      expect(aws.faults).toEqual([]);
    },
  };
}

describe('a record in tags', () => {
  test('comes back as it was, whatever is in it, and leaves nothing when it is cleared', async () => {
    await using stage = await begin();
    const record = stage.open();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 2000 }), async (text) => {
        const revision = await record.write(text, (await record.read())?.revision, { asked: '10' });
        expect(await record.read()).toEqual({ text, revision, memo: { asked: '10' } });
      }),
      { numRuns: 25 },
    );
    await record.clear((await record.read())?.revision ?? '');
    expect(stage.endpoint.tags).toEqual(new Map([['owner', 'team-churn']]));
  });

  test('has room for what it says, were it noise', async () => {
    await using stage = await begin();
    const text = randomBytes(roomInTags).toString('base64').slice(0, roomInTags);
    await stage.open().write(text, undefined, { asked: '50', started: 'churn-2' });
    expect((await stage.open().read())?.text).toBe(text);
    expect(stage.endpoint.tags.size).toBeLessThanOrEqual(45);
  });

  test('that is too long, or beside too many tags of others, is refused and not written by half', async () => {
    await using stage = await begin();
    const noise = randomBytes(20_000).toString('base64');
    await expect(stage.open().write(noise, undefined, {})).rejects.toMatchObject({
      problems: [{ code: 'no-room-in-tags' }],
    });
    expect(stage.own()).toEqual([]);
    for (let index = 0; index < 45; index++) stage.endpoint.tags.set(`cost-${index}`, 'x');
    const text = randomBytes(3000).toString('base64');
    await expect(stage.open().write(text, undefined, {})).rejects.toMatchObject({
      problems: [{ code: 'no-room-in-tags' }],
    });
    expect(stage.own()).toEqual([]);
  });

  test('is written by one of many writers, at every interleaving that chance brings', async () => {
    await using stage = await begin();
    stage.endpoint.meanwhile = () => new Promise((resolve) => setTimeout(resolve, 10 * Math.random()));
    let after: string | undefined;
    for (let round = 0; round < 6; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 5 }, (_, index) => stage.open().write(`round ${round} writer ${index}`, after, {})),
      );
      const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []));
      expect(won).toHaveLength(1);
      const found = await stage.open().read();
      expect(found?.text).toBe(`round ${round} writer ${won[0]}`);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(TrafficConflict);
      }
      after = found?.revision;
    }
    expect(stage.own().filter((key) => key.includes(':bid:'))).toEqual([]);
  });

  test('is not written by who sees another bid after its own', async () => {
    await using stage = await begin();
    // The other began first, and has not written yet.
    stage.endpoint.tags.set(`${tagPrefix}:bid:ffffffffffff`, 'none');
    const late = stage.open().write('late', undefined, {});
    await expect.poll(() => stage.own().length).toBe(2);
    expect(stage.endpoint.tags.has(tagPrefix)).toBe(false);
    stage.endpoint.tags.delete(`${tagPrefix}:bid:ffffffffffff`);
    await late;
    expect((await stage.open().read())?.text).toBe('late');
  });

  test('is written over the bid of a process that died, once that is old enough', async () => {
    await using stage = await begin();
    stage.endpoint.tags.set(`${tagPrefix}:bid:ffffffffffff`, 'none');
    await stage.open({ deadBidMs: 200 }).write('alive', undefined, {});
    expect((await stage.open().read())?.text).toBe('alive');
    expect(stage.own().filter((key) => key.includes(':bid:'))).toEqual([]);
  });

  test('that somebody broke is told, and how to mend it', async () => {
    await using stage = await begin();
    await stage.open().write('whole', undefined, {});
    stage.endpoint.tags.set(`${tagPrefix}:00`, 'AAAA');
    const thrown = await stage
      .open()
      .read()
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ problems: [{ code: 'broken-record', fix: expect.stringContaining(tagPrefix) }] });
  });

  test('is asked for page by page', async () => {
    await using stage = await begin();
    await stage.open().write('paged', undefined, {});
    const all = [...stage.endpoint.tags].map(([Key, Value]) => ({ Key, Value }));
    stage.aws.handle({
      'sagemaker:ListTags': (input) => {
        const { NextToken } = z.object({ NextToken: z.string().optional() }).loose().parse(input);
        return NextToken === undefined
          ? { output: { Tags: all.slice(0, 2), NextToken: 'more' } }
          : { output: { Tags: all.slice(2) } };
      },
    });
    expect((await stage.open().read())?.text).toBe('paged');
  });
});
