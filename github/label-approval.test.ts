import { describe, expect, test } from 'vitest';
import { ApiStandIn } from './api-stand-in.ts';
import { type LabelApprovalOptions, labelApproval } from './label-approval.ts';

const since = Date.UTC(2026, 10, 21, 12, 0, 0, 700);
const commit = 'a'.repeat(40);

interface Put {
  readonly name: string;
  readonly at: string;
  readonly event?: 'labeled' | 'unlabeled';
}

/** A pull request #12 with these labels, put at these times, that brought the commit. */
function gitHub(state: { labels: readonly string[]; events: readonly Put[]; pullRequests?: readonly unknown[] }) {
  return ApiStandIn.start(({ url }) => {
    if (url.includes('/pulls')) return { body: state.pullRequests ?? [] };
    if (url.includes('/labels')) return { body: state.labels.map((name) => ({ name })) };
    return {
      body: state.events.map(({ name, at, event = 'labeled' }) => ({
        event,
        created_at: at,
        actor: { login: 'ada' },
        label: { name },
      })),
    };
  });
}

function asked(github: ApiStandIn, more: Partial<LabelApprovalOptions> = { pullRequest: 12 }) {
  const said: string[] = [];
  const ask = labelApproval(github.api(), {
    label: 'canary-approved',
    commit,
    everyMs: 0,
    say: (message) => said.push(message),
    ...more,
  });
  return { ask, said };
}

describe('approval by a label', () => {
  test('counts a label that was put after the rollout began, and says who put it', async () => {
    const state = { labels: ['bug'], events: [] as readonly Put[] };
    await using github = await gitHub(state);
    const { ask, said } = asked(github);
    expect([await ask(since), await ask(since)]).toEqual([false, false]);
    state.labels = ['bug', 'Canary-Approved'];
    state.events = [{ name: 'Canary-Approved', at: '2026-11-21T12:34:56Z' }];
    expect(await ask(since)).toBe(true);
    expect(said).toEqual([
      'Waiting for the label "canary-approved" on pull request #12.',
      'Approved by the label "canary-approved", which ada put.',
    ]);
    const { length } = github.received;
    expect([await ask(since), github.received.length]).toEqual([true, length]);
  });

  test('does not count one that was put before, until it is put anew', async () => {
    const state = {
      labels: ['canary-approved'],
      events: [{ name: 'canary-approved', at: '2026-11-21T11:59:59Z' }] as readonly Put[],
    };
    await using github = await gitHub(state);
    const { ask, said } = asked(github);
    expect(await ask(since)).toBe(false);
    expect(said[0]).toMatch(/before this rollout began: put it anew/);
    state.events = [
      ...state.events,
      { name: 'canary-approved', at: '2026-11-21T12:10:00Z', event: 'unlabeled' },
      { name: 'canary-approved', at: '2026-11-21T12:10:05Z' },
      { name: 'another', at: '2026-11-21T12:11:00Z' },
    ];
    expect(await ask(since)).toBe(true);
  });

  test('counts one of the very second in which the rollout began: GitHub tells whole seconds', async () => {
    await using github = await gitHub({
      labels: ['canary-approved'],
      events: [{ name: 'canary-approved', at: '2026-11-21T12:00:00Z' }],
    });
    expect(await asked(github).ask(since)).toBe(true);
  });

  test('asks of the merged pull request that brought the commit, where the event names none', async () => {
    await using github = await gitHub({
      labels: [],
      events: [],
      pullRequests: [
        { number: 3, merged_at: null },
        { number: 4, merged_at: '2026-11-20T00:00:00Z' },
      ],
    });
    const { ask, said } = asked(github, {});
    expect(await ask(since)).toBe(false);
    expect(github.asked('GET', `/repos/acme/models/commits/${commit}/pulls`)).toHaveLength(1);
    expect(said).toEqual(['Waiting for the label "canary-approved" on pull request #4.']);
  });

  test('says that a commit without a pull request can be approved otherwise', async () => {
    await using github = await gitHub({ labels: [], events: [] });
    const { ask, said } = asked(github, {});
    expect(await ask(since)).toBe(false);
    expect(said[0]).toMatch(/No pull request brought commit aaaaaaaaaaaa.*command approve/);
  });

  test('asks GitHub twice a minute at most, however often it is asked', async () => {
    await using github = await gitHub({ labels: [], events: [] });
    let time = 0;
    const { ask } = asked(github, { pullRequest: 12, everyMs: 30_000, now: () => time });
    for (time = 0; time < 60_000; time += 5_000) await ask(since);
    expect(github.received).toHaveLength(2);
  });
});
