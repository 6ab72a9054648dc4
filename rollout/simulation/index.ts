/**
 * Seeded traffic with faults of known shapes, and whole rollouts over it.
 *
 * @module
 */
export type { RateNoise } from './rate-noise.ts';
export {
  type SimulatedPolicy,
  type SimulatedRollout,
  type SimulationSummary,
  simulateRollout,
  summarised,
} from './simulate-rollout.ts';
export { SimulatedTraffic, type TrueWindow } from './simulated-traffic.ts';
export { type TrafficShape, trafficShapes } from './traffic-shape.ts';
