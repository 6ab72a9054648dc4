import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { linearModel } from '../../../core/onnx/index.ts';
import { checkOf, judge, type Scene } from '../scene.ts';

/**
 * A walk: the observation is where the walker is, 0 goes left, 1 right; it ends at 5 steps. Each step earns where it then is, plus what the
 * seed gives. `act` can put anything in place of an answer.
 */
const walk = (act = '', open = '') => `
import { createInterface } from 'node:readline';
const walks = new Map();
const answers = {
  open: () => ({ protocol: 1, name: 'walk', action: { type: 'discrete', n: 2 }, ${open} }),
  reset: ({ seed, slot }) => { walks.set(slot, { at: 0, steps: 0, seed }); return { observation: [0] }; },
  step: ({ action, slot }) => {
    const walk = walks.get(slot);
    walk.at += action === 1 ? 1 : -1;
    walk.steps++;
    const answer = { observation: [walk.at], reward: walk.at + (walk.seed % 7) / 10, terminated: walk.steps >= 5 };
    ${act}
    return answer;
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.command === 'close') break;
  process.stdout.write(JSON.stringify(answers[message.command](message)) + '\\n');
}
`;

/** Scores 0 for left and 1 for right, whatever it sees. */
const right = linearModel([[0, 0]], [0, 1]);
const left = linearModel([[0, 0]], [1, 0]);

interface Options extends Pick<Partial<Scene>, 'base' | 'basePolicy'> {
  readonly environment?: string;
  readonly gates?: string;
  readonly episodes?: string;
  readonly model?: Uint8Array;
  readonly command?: readonly string[];
}

const policyOf = ({ gates = 'episode_reward: { min: 10 }', episodes = '', command }: Options) =>
  [
    'version: 1',
    `model: { path: m.onnx, baseline: { path: b.onnx } }`,
    `episodes: { command: ${JSON.stringify(command ?? [process.execPath, 'environment.mjs'])}, count: 14${episodes} }`,
    `gates: { ${gates} }`,
  ].join('\n');

const played = (options: Options) =>
  judge({
    policy: policyOf(options),
    files: {
      'm.onnx': options.model ?? right,
      'b.onnx': left,
      'environment.mjs': options.environment ?? walk(),
    },
    ...(options.base === undefined ? {} : { base: options.base }),
    ...(options.basePolicy === undefined ? {} : { basePolicy: options.basePolicy }),
  });

const why = async (options: Options) => {
  const { status, message } = checkOf(await played(options), 'gate/episode_reward/min');
  expect(status).toBe('error');
  return message;
};

describe('episodes', () => {
  it('give the mean reward with its interval, and the change against the baseline on the same seeds', async () => {
    const judgement = await played({
      gates: 'episode_reward: { min: 10, max_regression: 1, min_improvement: 29 }, episode_length: { min: 5, max: 5 }',
    });
    const reward = checkOf(judgement, 'gate/episode_reward/min');
    // 1 + 2 + 3 + 4 + 5, and five times the mean of 0 to 0.6.
    expect(reward.observed).toBeCloseTo(15 + 5 * 0.3, 12);
    expect(reward.evidence?.lower).toBeGreaterThan(15.5);
    expect(reward.evidence?.lower).toBeLessThan(16.5);
    expect(reward.message).toContain('on 14 episodes');
    // What the seed gives cancels: the change is exactly 30 in every episode.
    const change = checkOf(judgement, 'gate/episode_reward/min_improvement');
    expect(change).toMatchObject({ status: 'pass', evidence: { n: 14 } });
    expect(change.evidence?.lower).toBeCloseTo(30, 9);
    expect(change.evidence?.upper).toBeCloseTo(30, 9);
    expect(checkOf(judgement, 'gate/episode_length/min')).toMatchObject({ status: 'pass', observed: 5 });
    expect(judgement.figures.map(({ id }) => id)).toEqual(['episode-reward']);
  });

  it('are the same whether played one by one or many at once', async () => {
    const alone = checkOf(await played({}), 'gate/episode_reward/min');
    const together = checkOf(await played({ environment: walk('', 'slots: 4') }), 'gate/episode_reward/min');
    expect(together).toEqual(alone);
  });

  it('of equal reward at the end of what an episode can have are not certain', async () => {
    const environment = walk('answer.reward = 1;', 'returns: [0, 5]');
    const { evidence, status } = checkOf(
      await played({ environment, gates: 'episode_reward: { min: 4.9 }' }),
      'gate/episode_reward/min',
    );
    expect(status).toBe('inconclusive');
    expect(evidence?.upper).toBe(5);
    expect(evidence?.lower).toBeLessThan(4.9);
  });

  it('show the violations that the environment tells', async () => {
    const environment = walk("if (walk.seed === 3 && walk.at > 3) answer.violations = ['too far'];");
    const of = (mostly: string) => played({ environment, gates: `episode_violations: { ${mostly} }` });
    const strict = checkOf(await of(''), 'gate/episode_violations');
    expect(strict).toMatchObject({
      status: 'fail',
      failing: { total: 1, rows: [{ row: 4, values: ['3', '2', 'too far'] }] },
    });
    expect(checkOf(await of('mostly: 0.9'), 'gate/episode_violations').status).toBe('pass');
  });

  it('hold the outputs of every step to the guardrails', async () => {
    const judgement = await played({
      gates: 'guardrails: [{ output: Y, max: 0.5 }, { output: Y, element: 0, max: 0.5 }]',
    });
    const broken = checkOf(judgement, 'gate/guardrail/Y/max[episodes]');
    expect(broken).toMatchObject({ status: 'fail', failing: { total: 70 } });
    expect(broken.message).toContain('70 steps of 70 break it');
    expect(checkOf(judgement, 'gate/guardrail/Y.0/max[episodes]').status).toBe('pass');
  });

  it('take continuous actions as they are, and call one outside the range a violation', async () => {
    const environment = walk('', "action: { type: 'continuous', shape: [2], low: -1, high: [0, 1] }").replace(
      'walk.at += action === 1 ? 1 : -1',
      'walk.at += action[0] + action[1]',
    );
    const inside = await played({ environment, gates: 'episode_reward: { min: 1 }, episode_violations: {}' });
    expect(checkOf(inside, 'gate/episode_violations').status).toBe('pass');
    const model = linearModel([[0, 0]], [0.5, 0.25]);
    const outside = checkOf(
      await played({ environment, model, gates: 'episode_reward: { min: 1 }, episode_violations: {}' }),
      'gate/episode_violations',
    );
    expect(outside.status).toBe('fail');
    expect(outside.message).toContain('action 0 is 0.5, outside -1 to 0');
  });

  it('cut off an episode that does not end', async () => {
    const environment = walk('answer.terminated = false;');
    const judgement = await played({ environment, episodes: ', max_steps: 12', gates: 'episode_length: { max: 12 }' });
    expect(checkOf(judgement, 'gate/episode_length/max').observed).toBe(12);
  });
});

describe('an environment that fails is an error of these checks, and says so', () => {
  it('when it hangs', async () => {
    const environment = walk('if (walk.steps === 3) { for (;;); }');
    expect(await why({ environment, episodes: ', timeout: 2s' })).toContain('does not answer');
  });

  it('when it dies, with what it wrote to stderr', async () => {
    const message = await why({ environment: walk("throw new RangeError('no such lane');") });
    expect(message).toContain('ended before they were played');
    expect(message).toContain('no such lane');
  });

  it.each([
    ['wrote a line that is no JSON', "process.stdout.write('hello\\n');"],
    ['JSON has no NaN', 'process.stdout.write(\'{"reward": NaN}\\n\'); return null;'],
    ['a reward that is no number', 'answer.reward = null;'],
    ['a reward that is no number', "answer.reward = '1';"],
    ['does not say whether it ended', 'delete answer.terminated;'],
    ['has no numbers in "observation"', "answer.observation = ['left'];"],
    ['rows differ in length', 'answer.observation = [[1], [1, 2]];'],
    ['is no object', 'return [1];'],
    ['answers "step" with an error', "return { error: 'the road is closed' };"],
    ['violations that are none', 'answer.violations = 3;'],
    ['wrote a line without an end', "process.stdout.write('x'.repeat(20e6));"],
    ['does not take what the environment gives', 'answer.observation = [1, 2, 3];'],
  ])('%s', async (words, act) => {
    expect(await why({ environment: walk(act) })).toContain(words);
  });

  it('when it writes what nobody asked for', async () => {
    const environment = walk("if (walk.steps === 2) setTimeout(() => console.log('{}'), 0);").replace(
      'process.stdout.write(JSON',
      'if (message.command === "step") await new Promise((resolve) => setTimeout(resolve, 20));\n  process.stdout.write(JSON',
    );
    // Either between two messages, or in place of the next answer.
    expect(await why({ environment })).toMatch(/nobody asked for|"step"/);
  });

  it('when it does not start', async () => {
    expect(await why({ command: ['no-such-program-of-sluice'] })).toContain('does not start');
  });

  it('when it speaks another version', async () => {
    expect(await why({ environment: walk('', 'protocol: 2') })).toContain('another version of the protocol');
  });

  it('when it is not done by the deadline', async () => {
    const environment = walk('').replace(
      'process.stdout.write(JSON',
      'await new Promise((resolve) => setTimeout(resolve, 100));\n  process.stdout.write(JSON',
    );
    expect(await why({ environment, episodes: ', deadline: 1s' })).toContain('not played by their deadline');
  });

  it.runIf(process.platform === 'linux')('when it takes too much memory', async () => {
    const environment = walk(
      'if (walk.steps === 2) { globalThis.kept = Buffer.alloc(600e6, 1); const until = Date.now() + 5000; while (Date.now() < until); }',
    );
    expect(await why({ environment, episodes: ', memory_mb: 300' })).toContain('more memory than it may use');
  });

  it('when the model gives NaN', async () => {
    const model = linearModel([[0, 0]], [Number.NaN, 0]);
    expect(await why({ model })).toContain('is no action of the environment');
  });

  it('of the baseline alone leaves the candidate judged', async () => {
    const environment = walk("if (walk.at < -2) return { error: 'fell' };");
    const judgement = await played({ environment, gates: 'episode_reward: { min: 10, max_regression: 1 }' });
    expect(checkOf(judgement, 'gate/episode_reward/min').status).toBe('pass');
    expect(checkOf(judgement, 'gate/episode_reward/max_regression')).toMatchObject({ status: 'error' });
  });
});

describe('the environment of a pull request', () => {
  const easier = walk('answer.reward += 100;');
  const files = ', files: [environment.mjs]';
  const base = { 'environment.mjs': new TextEncoder().encode(walk()), 'b.onnx': left };

  it("is the base branch's where its files are named, and a change is told", async () => {
    const basePolicy = policyOf({ episodes: files });
    const judgement = await played({ environment: easier, episodes: files, base, basePolicy });
    expect(checkOf(judgement, 'gate/episode_reward/min').observed).toBeCloseTo(16.5, 12);
    expect(judgement.notices.map(({ message }) => message).join()).toContain(
      'This pull request changes environment.mjs',
    );
  });

  it('is the checkout’s where they are not, under a warning', async () => {
    const judgement = await played({ environment: easier, base, basePolicy: policyOf({}) });
    expect(checkOf(judgement, 'gate/episode_reward/min').observed).toBeCloseTo(516.5, 12);
    expect(judgement.notices.find(({ level }) => level === 'warning')?.message).toContain('may change what its model');
  });

  it('is the checkout’s where the base has none, under a warning', async () => {
    const judgement = await played({
      episodes: files,
      base: { 'b.onnx': left },
      basePolicy: policyOf({ episodes: files }),
    });
    expect(checkOf(judgement, 'gate/episode_reward/min').status).toBe('pass');
    expect(judgement.notices.map(({ message }) => message).join()).toContain('The base commit has no environment.mjs');
  });

  it('says which of its files is not there', async () => {
    expect(await why({ episodes: ', files: [environment.mjs, other.mjs]' })).toContain('other.mjs cannot be read');
  });
});

describe("the environment's process", () => {
  it('gets no secrets', async () => {
    process.env['SLUICE_TEST_TOKEN'] = 'hush';
    try {
      const act = "if (process.env.SLUICE_TEST_TOKEN) return { error: 'it has the token' };";
      expect(checkOf(await played({ environment: walk(act) }), 'gate/episode_reward/min').status).toBe('pass');
    } finally {
      delete process.env['SLUICE_TEST_TOKEN'];
    }
  });

  it.runIf(process.platform === 'linux')('ends with all it started', async () => {
    const environment = walk("if (walk.steps === 2) { const { spawn } = await import('node:child_process'); }")
      .replace('step: ({', 'step: async ({')
      .replace(
        'JSON.stringify(answers[message.command](message))',
        'JSON.stringify(await answers[message.command](message))',
      )
      .replace(
        "const { spawn } = await import('node:child_process');",
        "const { spawn } = await import('node:child_process'); const { pid } = spawn('sleep', ['300'], { stdio: 'ignore' }); return { error: 'child ' + pid };",
      );
    const message = await why({ environment });
    const pid = Number(/child (\d+)/.exec(message)?.[1]);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => stateOf(pid), { timeout: 5000 }).toMatch(/^(gone|Z)$/);
  });
});

function stateOf(pid: number): string {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? 'gone';
  } catch {
    return 'gone';
  }
}
