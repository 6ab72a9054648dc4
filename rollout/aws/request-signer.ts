import type { AwsCredentialSource } from './credentials.ts';
import { signedHeaders } from './signature.ts';

/** Signs forms sent by POST to a service that takes AWS's signatures: Managed Prometheus (`aps`). */
export function awsSigner({
  region,
  service,
  credentials,
}: {
  readonly region: string;
  readonly service: string;
  readonly credentials: AwsCredentialSource;
}): (request: { readonly url: URL; readonly body: string }) => Promise<Readonly<Record<string, string>>> {
  return async ({ url, body }) =>
    signedHeaders(
      { method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body },
      { credentials: await credentials(), region, service, at: new Date() },
    );
}
