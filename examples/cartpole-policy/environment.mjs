// CartPole over Sluice's environment protocol: one JSON message a line on stdin, one answer a line on stdout.
import { createInterface } from 'node:readline';
import { firstState, hasFallen, mostSteps, push } from './cartpole.mjs';

/** The last tenth before the end of the track is out of bounds: nobody wants to see the cart there, though the pole stands. */
const keepWithin = 2.16;

/** Of each episode in play, by its slot: the state and how many steps it has had. */
const episodes = new Map();

const answers = {
  open: () => ({
    protocol: 1,
    name: 'CartPole-v1',
    action: { type: 'discrete', n: 2 },
    returns: [1, mostSteps],
    slots: 32,
  }),
  reset: ({ seed, slot }) => {
    const state = firstState(seed);
    episodes.set(slot, { state, steps: 0 });
    return { observation: state };
  },
  step: ({ action, slot }) => {
    const { state: before, steps: stepsBefore } = episodes.get(slot);
    const [state, steps] = [push(before, action), stepsBefore + 1];
    episodes.set(slot, { state, steps });
    const terminated = hasFallen(state);
    return {
      observation: state,
      reward: 1,
      terminated,
      truncated: !terminated && steps >= mostSteps,
      violations: Math.abs(state[0]) > keepWithin ? [`the cart is at ${state[0].toFixed(2)} m`] : [],
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.command === 'close') break;
  const answer = answers[message.command];
  const said = answer === undefined ? { error: `no such command: ${message.command}` } : answer(message);
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
