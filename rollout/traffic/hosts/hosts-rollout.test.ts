import { expect, test } from 'vitest';
import type { RolloutOptions } from '../../live-rollout.ts';
import { runRollout } from '../../run-rollout.ts';
import { emptySource, scripted, World, worldClock } from '../../stand-ins.ts';
import { parseRecord } from '../../state/record.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { StandingHosts } from './standing-hosts.ts';

function optionsOf(
  provider: TrafficProvider,
  says: 'advance' | 'rollback',
  warn: (message: string) => void,
): RolloutOptions {
  return {
    id: 'r-1',
    holder: 'run',
    provider,
    source: emptySource,
    analyst: scripted(() => says),
    settings: {
      strategy: { kind: 'steps', weights: [50] },
      lookEvery: 1000,
      warmUp: 0,
      minStage: 1000,
      deadline: 600_000,
      readyDeadline: 60_000,
      lease: 60_000,
      resumeWithin: 60_000,
      approval: false,
    },
    clock: worldClock(new World()),
    warn,
  };
}

test('a rollout over hosts is promoted, or rolled back for its harm', async () => {
  for (const [says, phase, runs] of [
    ['advance', 'promoted', 'new'],
    ['rollback', 'rolled-back', 'old'],
  ] as const) {
    await using standing = await StandingHosts.start(2);
    await using provider = standing.provider();
    const { outcome } = await runRollout(optionsOf(provider, says, () => {}));
    expect(outcome).toBe(phase);
    expect(await standing.running()).toEqual([runs, runs]);
  }
});

test('a rollout whose release fails on a host ends at once as rolled back, and says where and why', async () => {
  await using standing = await StandingHosts.start(2);
  await standing.hosts[1]?.breakRestart(true);
  const said: string[] = [];
  await using provider = standing.provider((shell, host) => ({
    title: shell.title,
    run: async (words, options) => {
      const ended = await shell.run(words, options);
      // Whatever kept the new version from starting does not keep the old one from it.
      if (host === 'web-2' && ended.code === 7) await standing.hosts[1]?.breakRestart(false);
      return ended;
    },
  }));
  await expect(runRollout(optionsOf(provider, 'advance', (message) => said.push(message)))).rejects.toMatchObject({
    problems: [{ code: 'host-failed', message: 'web-2 could not be released; rolled back: web-2, web-1' }],
  });
  const record = parseRecord((await provider.record())?.text ?? '');
  expect(record).toMatchObject({ phase: 'rolled-back', traffic: { canaryWeight: 0 } });
  expect(record.reason).toContain('web-2 could not be released; rolled back: web-2, web-1');
  expect(await standing.running()).toEqual(['old', 'old']);
  // Asking again would release and take back all hosts, again and again.
  expect(said.filter((message) => message.includes('asked again'))).toEqual([]);
});
