import * as z from 'zod';
import { canarySchema } from '../../core/policy/index.ts';
import { openTraffic, type TrafficProvider } from '../../rollout/index.ts';

const { traffic, guard } = canarySchema.shape;

const savedRun = z.strictObject({
  id: z.string(),
  holder: z.string(),
  directory: z.string(),
  traffic,
  guard,
  context: z.string().exactOptional(),
  kubeconfig: z.string().exactOptional(),
});

/**
 * What has to be known to restore the baseline after a run that was killed, whatever became of the checkout: which run, and who moves the
 * traffic. Paths are absolute. No secrets: those are in the environment, or in files that are named.
 */
export type SavedRun = Readonly<z.infer<typeof savedRun>>;

/** Reads what `JSON.stringify` wrote of one. Throws an error of zod for anything else. */
export function parseSavedRun(text: string): SavedRun {
  return savedRun.parse(JSON.parse(text));
}

/** Opens who moves the traffic. Nothing moves. */
export function openProvider(saved: Omit<SavedRun, 'id' | 'holder'>): TrafficProvider {
  const { directory, context, kubeconfig } = saved;
  return openTraffic(saved.traffic, {
    directory,
    ...(context === undefined ? {} : { context }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(saved.guard === undefined ? {} : { guard: saved.guard }),
  });
}
