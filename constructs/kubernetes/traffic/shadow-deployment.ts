import type { Construct } from 'constructs';
import type { ModelServer } from '../serving/model-server.ts';
import { CanaryRoute, type CanaryRouteProps } from './canary-route.ts';

export interface ShadowDeploymentProps extends Pick<CanaryRouteProps, 'by' | 'baseline' | 'timeout' | 'pathPrefix'> {
  /** Gets copies of requests; its answers reach nobody. */
  readonly shadow: ModelServer;
  /** Percent of requests that are copied, 1 to 100. */
  readonly percent: number;
  /** Asking twice changes nothing. */
  readonly idempotent: boolean;
}

/** A model that sees real requests and answers nobody: no weight, no header, only copies. */
export class ShadowDeployment extends CanaryRoute {
  constructor(scope: Construct, id: string, { shadow, percent, idempotent, ...props }: ShadowDeploymentProps) {
    super(scope, id, { ...props, canary: shadow, weight: 0, header: false, mirror: { percent, idempotent } });
  }
}
