import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, canaryErrorShare, podTemplate } from './contender.ts';

const canaries = '/apis/flagger.app/v1beta1';

/** What of Flagger's analysis is set; weights go 10, 20, 30, 40, 50. */
export interface FlaggerAnalysis {
  readonly interval: string;
  /** Failed checks before it goes back. */
  readonly threshold: number;
  /** The window of PromQL's `rate`. */
  readonly window: string;
  /** Of requests; more fails a check. */
  readonly highestErrorShare: number;
}

/** The real Flagger with an HTTPRoute. */
export function flagger(settings: string, analysis: FlaggerAnalysis): Contender {
  return {
    name: 'Flagger',
    settings,
    async prepare({ cluster, namespace, prometheus, service: name }) {
      const { interval, threshold, window, highestErrorShare } = analysis;
      const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments`;
      await cluster.must('POST', deployment, {
        metadata: { name },
        spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: podTemplate(name, 'v1') },
      });
      await cluster.must('POST', `${canaries}/namespaces/${namespace}/metrictemplates`, {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'MetricTemplate',
        metadata: { name },
        spec: {
          provider: { type: 'prometheus', address: prometheus.origin },
          query: canaryErrorShare(name, '{{ interval }}'),
        },
      });
      const path = `${canaries}/namespaces/${namespace}/canaries`;
      await cluster.must('POST', path, {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        metadata: { name },
        spec: {
          targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
          service: {
            port: 8000,
            targetPort: 8000,
            hosts: [`${name}.example.com`],
            gatewayRefs: [{ name: 'public', namespace: 'gateways' }],
          },
          analysis: {
            interval,
            threshold,
            maxWeight: 50,
            stepWeight: 10,
            metrics: [{ name, templateRef: { name }, thresholdRange: { max: highestErrorShare }, interval: window }],
          },
        },
      });
      const phase = async (): Promise<string | undefined> => {
        const { status } = (await cluster.must('GET', `${path}/${name}`)) as { readonly status?: { phase?: string } };
        return status?.phase;
      };
      while ((await phase()) !== 'Initialized') await sleep(250);
      return {
        kind: 'gateway-api',
        path: `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/${name}`,
        baseline: `${name}-primary`,
        canary: `${name}-canary`,
        async release(version) {
          const next = { spec: { template: podTemplate(name, version) } };
          await cluster.must('PATCH', `${deployment}/${name}`, next, 'application/strategic-merge-patch+json');
          // Until it is seen, the phase is that of the release before.
          while ((await phase()) !== 'Progressing') await sleep(250);
          for (;;) {
            const now = await phase();
            if (now === 'Succeeded') return 'promoted';
            if (now === 'Failed') return 'rolled back';
            await sleep(250);
          }
        },
      };
    },
  };
}
