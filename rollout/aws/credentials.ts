import { awsTransport } from '../../core/http/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that live for some time only. */
  readonly sessionToken?: string | undefined;
}

/** Gives credentials that are good now. `fresh`: the ones it gave last are not, whatever it remembers of their end. */
export type AwsCredentialSource = (fresh?: boolean) => Promise<AwsCredentials>;

/**
 * The standard chain of AWS's SDKs: environment, SSO, web identity, shared files, a process, container and instance roles. In GitHub Actions
 * `aws-actions/configure-aws-credentials` sets the environment. Loaded when it is first asked; throws a PeerError (`no-credentials`) when
 * the chain has none.
 */
export function standardCredentials(): AwsCredentialSource {
  let chain: Promise<(options?: { readonly forceRefresh?: boolean }) => Promise<AwsCredentials>> | undefined;
  return async (fresh = false) => {
    chain ??= import('@aws-sdk/credential-provider-node').then(({ defaultProvider }) => {
      const requestHandler = awsTransport();
      return defaultProvider(requestHandler === undefined ? {} : { clientConfig: { requestHandler } });
    });
    try {
      return await (await chain)(fresh ? { forceRefresh: true } : {});
    } catch (cause) {
      // Without `cause`: what a profile's process printed may be in it.
      throw new PeerError({
        code: 'no-credentials',
        message: 'there are no AWS credentials',
        found: excerpt(cause instanceof Error ? cause.message : String(cause), 200),
        fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role; in GitHub Actions use aws-actions/configure-aws-credentials in a step before.',
      });
    }
  };
}
