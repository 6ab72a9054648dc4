import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, canaryErrorShare, podTemplate } from './contender.ts';

const argo = '/apis/argoproj.io/v1alpha1';

/** What of Argo's analysis is set; weights go 10, 20, 30, 40, 50. */
export interface ArgoAnalysis {
  /** Between two measurements, and how long each weight lasts. */
  readonly interval: string;
  /** More failed measurements than this go back. */
  readonly failureLimit: number;
  /** The window of PromQL's `rate`. */
  readonly window: string;
  /** Of requests; more fails a measurement. */
  readonly highestErrorShare: number;
}

/** The real Argo Rollouts with a VirtualService, and an analysis in the background from the first weight on. */
export function argoRollouts(settings: string, analysis: ArgoAnalysis): Contender {
  return {
    name: 'Argo Rollouts',
    settings,
    async prepare({ cluster, namespace, prometheus, service: name }) {
      const { interval, failureLimit, window, highestErrorShare } = analysis;
      const services = [`${name}-stable`, `${name}-canary`];
      for (const service of services) {
        await cluster.must('POST', `/api/v1/namespaces/${namespace}/services`, {
          metadata: { name: service },
          spec: { selector: { app: name }, ports: [{ port: 8000 }] },
        });
      }
      const route = services.map((host, index) => ({ destination: { host }, weight: index === 0 ? 100 : 0 }));
      const virtualServices = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
      await cluster.must('POST', virtualServices, {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name },
        spec: { hosts: [name], http: [{ name: 'primary', route }] },
      });
      await cluster.must('POST', `${argo}/namespaces/${namespace}/analysistemplates`, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AnalysisTemplate',
        metadata: { name },
        spec: {
          metrics: [
            {
              name: 'errors',
              interval,
              // The first measurement would be of nothing.
              initialDelay: interval,
              failureLimit,
              successCondition: `isNaN(result[0]) || result[0] <= ${highestErrorShare}`,
              provider: { prometheus: { address: prometheus.origin, query: canaryErrorShare(name, window) } },
            },
          ],
        },
      });
      const path = `${argo}/namespaces/${namespace}/rollouts`;
      await cluster.must('POST', path, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Rollout',
        metadata: { name },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: name } },
          template: podTemplate(name, 'v1'),
          strategy: {
            canary: {
              stableService: services[0],
              canaryService: services[1],
              trafficRouting: { istio: { virtualService: { name, routes: ['primary'] } } },
              analysis: { templates: [{ templateName: name }], startingStep: 1 },
              steps: [10, 20, 30, 40, 50].flatMap((setWeight) => [{ setWeight }, { pause: { duration: interval } }]),
            },
          },
        },
      });
      const status = async () => {
        const answer = (await cluster.must('GET', `${path}/${name}`)) as {
          readonly metadata: { readonly generation: number };
          readonly status?: {
            readonly phase?: string;
            readonly abort?: boolean;
            readonly observedGeneration?: string;
            readonly stableRS?: string;
            readonly currentPodHash?: string;
          };
        };
        const seen = answer.status?.observedGeneration === String(answer.metadata.generation);
        return seen ? (answer.status ?? {}) : {};
      };
      while ((await status()).phase !== 'Healthy') await sleep(250);
      return {
        kind: 'istio',
        path: `${virtualServices}/${name}`,
        baseline: services[0] ?? '',
        canary: services[1] ?? '',
        async release(version) {
          const { stableRS } = await status();
          const next = { spec: { template: podTemplate(name, version) } };
          await cluster.must('PATCH', `${path}/${name}`, next, 'application/merge-patch+json');
          // Until it is seen, the end is that of the release before.
          for (let now = await status(); now.phase === undefined || now.abort === true || now.phase === 'Healthy'; ) {
            await sleep(250);
            now = await status();
          }
          for (;;) {
            const now = await status();
            if (now.abort === true) return 'rolled back';
            if (now.phase === 'Healthy' && now.stableRS !== stableRS && now.stableRS === now.currentPodHash) {
              return 'promoted';
            }
            await sleep(250);
          }
        },
      };
    },
  };
}
