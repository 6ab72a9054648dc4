import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EnvironmentProcess } from '../actions/quality-gate/episodes/environment-process.ts';
import { Environment } from '../actions/quality-gate/episodes/environment-protocol.ts';
import { playEpisodes } from '../actions/quality-gate/episodes/play-episodes.ts';
import { linearModel, openModel } from '../core/onnx/index.ts';
import { type PythonEnvironment, pythonEnvironment } from './serving/python.ts';

const example = join(import.meta.dirname, '..', 'examples', 'cartpole-policy');
const [count, seed] = [24, 500];

/** The same episodes as a person would play them in Python: one after the other, one observation a call. */
const inPython = `
import json, sys
import gymnasium, numpy as np, onnxruntime
file, name, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
environment = gymnasium.make(name)
discrete = isinstance(environment.action_space, gymnasium.spaces.Discrete)
played = []
for index in range(count):
    observation, _ = environment.reset(seed=seed + index)
    reward, steps, over = 0.0, 0, False
    while not over:
        output = session.run(None, {session.get_inputs()[0].name: np.asarray(observation, np.float32)[None]})[0][0]
        observation, gained, terminated, truncated, _ = environment.step(int(output.argmax()) if discrete else output)
        reward, steps, over = reward + float(gained), steps + 1, terminated or truncated
    played.append({"reward": reward, "steps": steps})
print(json.dumps(played))
`;

let python: PythonEnvironment;
let directory: string;
beforeAll(async () => {
  python = await pythonEnvironment('gymnasium', ['gymnasium==1.4.0', 'numpy==2.4.6', 'onnxruntime==1.31.1']);
  directory = await mkdtemp(join(tmpdir(), 'sluice-gymnasium-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Played {
  readonly reward: number;
  readonly steps: number;
}

async function playedBySluice(file: string, name: string): Promise<readonly Played[]> {
  await using model = await openModel(file);
  const running = new EnvironmentProcess({
    command: [python.python, join(example, 'gymnasium_environment.py'), name],
    directory,
    place: {},
    answerMilliseconds: 60_000,
    deadline: performance.now() + 120_000,
    memoryBytes: 2e9,
  });
  await using environment = await Environment.open(running);
  return await playEpisodes({ model, path: 'm.onnx', place: {} }, environment, { count, seed, maxSteps: 1000 });
}

async function playedInPython(file: string, name: string): Promise<readonly Played[]> {
  const { stdout } = await promisify(execFile)(python.python, [
    '-c',
    inPython,
    file,
    name,
    String(count),
    String(seed),
  ]);
  return JSON.parse(stdout) as readonly Played[];
}

test.each(['baseline', 'worse'])(
  '%s of the example earns in Gymnasium what it earns with onnxruntime in Python',
  async (model) => {
    const file = join(example, 'models', `${model}.onnx`);
    const [mine, expected] = [await playedBySluice(file, 'CartPole-v1'), await playedInPython(file, 'CartPole-v1')];
    expect(mine.map(({ reward, steps }) => ({ reward, steps }))).toEqual(expected);
    expect(new Set(expected.map(({ steps }) => steps)).size).toBeGreaterThan(3);
  },
);

test('a continuous policy earns in Gymnasium what it earns with onnxruntime in Python', async () => {
  const file = join(directory, 'pendulum.onnx');
  await writeFile(file, linearModel([[0.5], [-1.5], [-0.25]], [0.125]));
  const [mine, expected] = [await playedBySluice(file, 'Pendulum-v1'), await playedInPython(file, 'Pendulum-v1')];
  for (const [index, { reward, steps }] of expected.entries()) {
    expect(mine[index]?.steps).toBe(steps);
    expect(mine[index]?.reward).toBeCloseTo(reward, 3);
  }
});
