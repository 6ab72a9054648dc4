import { customKind } from './custom-resource.ts';

/** https://gateway-api.sigs.k8s.io/reference/spec/#httproute (v1, standard channel; `percent` of a mirror since 1.3) */
export interface HttpRouteSpec {
  readonly parentRefs: readonly ParentReference[];
  readonly hostnames?: readonly string[] | undefined;
  readonly rules: readonly HttpRouteRule[];
}
export interface ParentReference {
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
}
export interface HttpRouteRule {
  readonly name: string;
  readonly matches?:
    | readonly {
        readonly path?: { readonly type: 'PathPrefix'; readonly value: string };
        readonly headers?: readonly { readonly name: string; readonly value: string }[];
      }[]
    | undefined;
  readonly filters?:
    | readonly {
        readonly type: 'RequestMirror';
        readonly requestMirror: { readonly backendRef: BackendReference; readonly percent: number };
      }[]
    | undefined;
  readonly backendRefs: readonly (BackendReference & { readonly weight?: number })[];
  readonly timeouts?: { readonly request: string } | undefined;
}
export interface BackendReference {
  readonly name: string;
  readonly port: number;
}
export const httpRoute = customKind<HttpRouteSpec>(
  'gateway.networking.k8s.io/v1',
  'HTTPRoute',
  'httproutes.gateway.networking.k8s.io',
);
