/** How to reach one API server, and as whom. */
export interface ClusterAccess {
  readonly server: URL;
  /** Where this came from, for messages: `context shop of the kubeconfig`, `the pod's service account`. Printable. */
  readonly origin: string;
  /** The namespace that is meant when none is named. */
  readonly namespace?: string;
  /** Authorities to trust instead of the system's, in PEM. */
  readonly ca?: string;
  /** The name the certificate must bear, where it is not the server's host. */
  readonly tlsServerName?: string;
  /** Any certificate is taken for the server's. */
  readonly insecure?: boolean;
  /** `http://host:port` of a proxy that only this cluster is behind. */
  readonly proxy?: string;
  readonly credentials: ClusterCredentials;
  readonly impersonate?: string;
}

/** Who asks. */
export type ClusterCredentials =
  | { readonly kind: 'token'; readonly token: string }
  /** Read again before it is a minute old: kubelets replace it. */
  | { readonly kind: 'token-file'; readonly file: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string }
  /** A program that prints an ExecCredential: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
  | { readonly kind: 'exec'; readonly plugin: ExecPlugin }
  | { readonly kind: 'none' };

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint?: string;
}
