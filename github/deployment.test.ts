import { describe, expect, test } from 'vitest';
import { type Answer, ApiStandIn, notPermitted, type Received } from './api-stand-in.ts';
import { openDeployment } from './deployment.ts';

const options = {
  environment: 'production',
  ref: 'a'.repeat(40),
  id: 'acme/models@aaaaaaaaaaaa',
  logUrl: 'https://github.com/acme/models/actions/runs/17',
};
const path = '/repos/acme/models/deployments';

/** GitHub with these deployments; it makes the one with the id 42. */
function gitHub(deployments: readonly unknown[], more: (request: Received) => Answer | undefined = () => undefined) {
  return ApiStandIn.start((request) => {
    const other = more(request);
    if (other !== undefined) return other;
    if (request.method === 'GET') return { body: deployments };
    return { status: 201, body: { id: request.url.includes('/statuses') ? 1 : 42 } };
  });
}

describe('a deployment', () => {
  test('is made with its first status, and no commit status is asked for', async () => {
    await using github = await gitHub([]);
    const deployment = openDeployment(github.api(), options);
    expect(github.received).toEqual([]);
    await deployment.tell('in_progress', 'The canary gets 5 % of the requests.');
    await deployment.tell('success', 'Promoted.');

    expect(github.asked('GET', path)[0]?.url).toContain('environment=production&task=sluice%3Acanary');
    expect(github.asked('POST', path).map(({ url, body }) => [url, body])).toEqual([
      [
        path,
        {
          ref: options.ref,
          task: 'sluice:canary',
          environment: 'production',
          required_contexts: [],
          auto_merge: false,
          description: 'Canary acme/models@aaaaaaaaaaaa',
          payload: { sluice: { id: options.id } },
        },
      ],
      [
        `${path}/42/statuses`,
        {
          state: 'in_progress',
          description: 'The canary gets 5 % of the requests.',
          log_url: options.logUrl,
          auto_inactive: false,
        },
      ],
      [
        `${path}/42/statuses`,
        { state: 'success', description: 'Promoted.', log_url: options.logUrl, auto_inactive: true },
      ],
    ]);
  });

  test.each([
    ['an object', { sluice: { id: options.id } }],
    ['text', JSON.stringify({ sluice: { id: options.id } })],
  ])('of an earlier run of the rollout is gone on with (its payload is %s)', async (_, payload) => {
    const others = ['', 'not json', null, 7, { sluice: 'x' }, { sluice: { id: 'another' } }];
    await using github = await gitHub([...others.map((other, id) => ({ id, payload: other })), { id: 7, payload }]);
    await openDeployment(github.api(), options).tell('failure', 'Rolled back.');
    expect(github.asked('POST', path).map(({ url }) => url)).toEqual([`${path}/7/statuses`]);
  });

  test('says no more than GitHub takes', async () => {
    await using github = await gitHub([]);
    await openDeployment(github.api(), { ...options, id: 'i'.repeat(200) }).tell('in_progress', 'x'.repeat(500));
    const [made, status] = github.asked('POST', path).map(({ body }) => body as { readonly description: string });
    expect([made?.description.length, status?.description.length]).toEqual([140, 140]);
  });

  test('is not made twice when GitHub fails after it was made', async () => {
    await using github = await gitHub([], ({ method, url }) =>
      method === 'POST' && url === path ? { status: 502, body: { message: 'Server Error' } } : undefined,
    );
    await expect(openDeployment(github.api(), options).tell('in_progress', 'x')).rejects.toMatchObject({ status: 502 });
    expect(github.asked('POST', path)).toHaveLength(1);
  });

  test("throws GitHub's refusal, and tries again with the next status", async () => {
    let refused = true;
    await using github = await gitHub([], ({ method }) => (refused && method === 'POST' ? notPermitted : undefined));
    const deployment = openDeployment(github.api(), options);
    await expect(deployment.tell('in_progress', 'x')).rejects.toMatchObject({ status: 403 });
    refused = false;
    await deployment.tell('failure', 'y');
    expect(github.asked('POST', `${path}/42/statuses`)).toHaveLength(1);
  });
});
