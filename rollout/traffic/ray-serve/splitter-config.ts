import * as z from 'zod';
import type { Traffic } from '../../traffic-provider.ts';

const percent = z.int().min(0).max(100);
const arm = z.object({ application: z.string(), path: z.string() });

/** The user_config that `ray_splitter.py` follows. */
export const splitterConfig = z.object({
  baseline: arm,
  canary: arm.nullish(),
  weight: percent.optional(),
  mirror: percent.optional(),
  header: z.object({ name: z.string(), value: z.string() }).nullish(),
  /** Seconds of the epoch; after them the splitter sends everything to the baseline. */
  lease: z.number().nullish(),
});

export type SplitterConfig = z.infer<typeof splitterConfig>;

/** The name of the deployment in `ray_splitter.py`. */
export const splitterDeployment = 'SluiceSplitter';

/** What a splitter with this configuration does, seen from a rollout between two applications; `undefined`: it knows neither as baseline. */
export function trafficOf(config: SplitterConfig, baseline: string, canary: string): Traffic | undefined {
  if (config.baseline.application === canary) return { canaryWeight: 100, mirrorPercent: 0 };
  if (config.baseline.application !== baseline) return undefined;
  if (config.canary?.application !== canary) return { canaryWeight: 0, mirrorPercent: 0 };
  const { weight = 0, mirror = 0, header } = config;
  const weights = { canaryWeight: weight, mirrorPercent: mirror };
  return header === null || header === undefined ? weights : { ...weights, header };
}
