// CartPole as Gymnasium's CartPole-v1 has it (A. Barto, R. Sutton, C. Anderson, 1983): the same constants, the same Euler steps.

const gravity = 9.8;
const poleMass = 0.1;
const totalMass = 1.0 + poleMass;
const halfLength = 0.5;
const poleMassLength = poleMass * halfLength;
const force = 10.0;
const secondsAStep = 0.02;

/** Beyond these the pole has fallen, or the cart is off the track. */
export const limits = { position: 2.4, angle: (12 * 2 * Math.PI) / 360 };

/** A step limit ends episodes of a policy that never drops the pole. */
export const mostSteps = 500;

/** One step of 20 ms: pushes the cart to the left (0) or to the right (1). `state` is [position, velocity, angle, angular velocity]. */
export function push([x, xDot, theta, thetaDot], action) {
  const pushed = action === 1 ? force : -force;
  const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
  const temp = (pushed + poleMassLength * thetaDot ** 2 * sin) / totalMass;
  const thetaAcc = (gravity * sin - cos * temp) / (halfLength * (4 / 3 - (poleMass * cos ** 2) / totalMass));
  const xAcc = temp - (poleMassLength * thetaAcc * cos) / totalMass;
  return [
    x + secondsAStep * xDot,
    xDot + secondsAStep * xAcc,
    theta + secondsAStep * thetaDot,
    thetaDot + secondsAStep * thetaAcc,
  ];
}

export function hasFallen([x, , theta]) {
  return Math.abs(x) > limits.position || Math.abs(theta) > limits.angle;
}

/** Each number of the first state is uniform between -0.05 and 0.05; the same seed gives the same state. */
export function firstState(seed) {
  const random = mulberry32(seed);
  return [0, 0, 0, 0].map(() => -0.05 + 0.1 * random());
}

/** T. Ettinger's mulberry32: a small generator that every machine runs alike. */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
