import type { CanaryTraffic } from '../../../core/policy/index.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { openRecordFolder, shellsOf } from '../hosts/open-hosts.ts';
import { openRayServeTraffic } from './ray-serve.ts';

/** Opens the applications that the policy names; `directory` is what its paths are relative to. Nothing is asked yet. Throws an InputError. */
export function openRayServe(
  policy: Extract<CanaryTraffic, { provider: 'ray-serve' }>,
  directory: string,
): TrafficProvider {
  const { dashboard, splitter, baseline, canary, state, ssh_config: config } = policy;
  return openRayServeTraffic({
    dashboard,
    splitter,
    baseline,
    canary,
    ...openRecordFolder(state, directory, shellsOf(config, directory)),
  });
}
