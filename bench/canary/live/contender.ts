import type { RoutedKind } from '../../../testbed/canary/route-table.ts';
import type { ControlPlane } from '../../../testbed/kubernetes/control-plane.ts';

/** Where a release takes place. */
export interface Scene {
  readonly cluster: ControlPlane;
  readonly namespace: string;
  readonly prometheus: URL;
  /** What telemetry calls the model: `destination_service_name`; the baseline is v1, the canary v2. */
  readonly service: string;
}

export type End = 'promoted' | 'rolled back';

/** Everything that is to be there before releases: the first version serves, the canary gets nothing yet. */
export interface PreparedModel {
  readonly kind: RoutedKind;
  /** Path of the object that holds the weights. */
  readonly path: string;
  /** Names in the object's routes. */
  readonly baseline: string;
  readonly canary: string;
  /** Sets another version off, and resolves at its end, as the contender itself sees it. */
  release(version: string): Promise<End>;
}

/** Who rolls a release out, with its settings. */
export interface Contender {
  readonly name: string;
  readonly settings: string;
  prepare(scene: Scene): Promise<PreparedModel>;
}

/** PromQL: the canary's share of failed requests. Without failures so far it is 0, without requests it is not a number. */
export function canaryErrorShare(service: string, window: string): string {
  const requests = (more: string): string =>
    `sum(rate(istio_requests_total{destination_service_name="${service}",destination_version="v2"${more}}[${window}]))`;
  return `(${requests(',response_code=~"5.."')} or vector(0)) / ${requests('')}`;
}

/** A Deployment's pod template: another version is another release. */
export function podTemplate(name: string, version: string) {
  return {
    metadata: { labels: { app: name } },
    spec: {
      containers: [{ name: 'server', image: `example.com/server:${version}`, ports: [{ containerPort: 8000 }] }],
    },
  };
}
