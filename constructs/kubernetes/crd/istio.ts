import { customKind } from './custom-resource.ts';

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/ (Istio 1.22 and later) */
export interface VirtualServiceSpec {
  readonly hosts: readonly string[];
  readonly gateways?: readonly string[] | undefined;
  readonly http: readonly IstioRoute[];
}
export interface IstioRoute {
  readonly name: string;
  readonly match?:
    | readonly {
        readonly uri?: { readonly prefix: string };
        readonly headers?: Readonly<Record<string, { readonly exact: string }>>;
      }[]
    | undefined;
  readonly route: readonly { readonly destination: IstioDestination; readonly weight?: number }[];
  readonly mirror?: IstioDestination | undefined;
  /** Absent means everything, not nothing. */
  readonly mirrorPercentage?: { readonly value: number } | undefined;
  readonly timeout?: string | undefined;
  readonly retries?:
    | { readonly attempts: number; readonly perTryTimeout?: string | undefined; readonly retryOn?: string | undefined }
    | undefined;
}
export interface IstioDestination {
  readonly host: string;
  readonly subset?: string | undefined;
  readonly port?: { readonly number: number } | undefined;
}
export const virtualService = customKind<VirtualServiceSpec>(
  'networking.istio.io/v1',
  'VirtualService',
  'virtualservices.networking.istio.io',
);

/** https://istio.io/latest/docs/reference/config/networking/destination-rule/ */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly subsets: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly trafficPolicy?: Readonly<Record<string, unknown>> | undefined;
}
export const destinationRule = customKind<DestinationRuleSpec>(
  'networking.istio.io/v1',
  'DestinationRule',
  'destinationrules.networking.istio.io',
);
