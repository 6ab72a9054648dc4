import { servingProfiles } from '../../../core/telemetry/index.ts';
import { rolloutRole } from '../../../rollout/guard/rollout-roles.ts';
import {
  type AnalysisPolicy,
  analysisSettings,
  openAnalysis,
  openPrometheus,
  runRollout,
} from '../../../rollout/index.ts';
import { openKubernetes } from '../../../rollout/kubernetes-client.ts';
import { openKubernetesTraffic } from '../../../rollout/traffic/kubernetes-providers.ts';
import { newAccount } from '../../../testbed/kubernetes/access.ts';
import { newModel } from '../../../testbed/kubernetes/model-objects.ts';
import type { Contender } from './contender.ts';

/** Sluice with its own provider, source and analysis, by a token with the minimal Role. */
export function sluice(
  settings: string,
  errors: AnalysisPolicy['errors'],
  weights: readonly [number, ...number[]],
): Contender {
  return {
    name: 'Sluice',
    settings,
    async prepare({ cluster, namespace, prometheus, service }) {
      const model = await newModel(cluster, namespace, 'istio hosts');
      const { traffic } = model;
      if (traffic.provider !== 'istio') throw new Error('not Istio');
      const { kubeconfig } = await newAccount(cluster, namespace, rolloutRole(traffic, { guard: false }));
      return {
        kind: 'istio',
        path: model.path,
        baseline: traffic.baseline,
        canary: traffic.canary,
        async release(version) {
          await using provider = openKubernetesTraffic(traffic, openKubernetes({ files: [kubeconfig] }));
          await using source = openPrometheus({
            url: prometheus,
            profile: servingProfiles.istio,
            model: service,
            canary: { version: 'v2' },
            baseline: { version: 'v1' },
          });
          const { outcome } = await runRollout({
            id: `${service}-${version}`,
            holder: `bench ${process.pid}`,
            provider,
            source,
            analyst: openAnalysis(analysisSettings({ ...(errors === undefined ? {} : { errors }), warmUp: 2000 })),
            settings: {
              strategy: { kind: 'steps', weights },
              lookEvery: 1000,
              warmUp: 2000,
              minStage: 10_000,
              deadline: 3_600_000,
              readyDeadline: 60_000,
              lease: 120_000,
              resumeWithin: 60_000,
              approval: false,
            },
          });
          return outcome === 'promoted' ? 'promoted' : 'rolled back';
        },
      };
    },
  };
}
