/**
 * What a canary will take, can find and puts at risk, before it begins.
 *
 * @module
 */
export {
  type CanaryPlan,
  type PlannedFault,
  type PlannedStage,
  type PlannedTraffic,
  type PlanOptions,
  planCanary,
} from './canary-plan.ts';
export { measureTraffic } from './measure-traffic.ts';
