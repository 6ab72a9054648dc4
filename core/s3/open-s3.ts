import type { S3Client } from '@aws-sdk/client-s3';

/**
 * A client with the credentials and the region of the AWS SDK's default chain; `AWS_ENDPOINT_URL_S3` names another service;
 * HTTPS_PROXY and NO_PROXY count. Starts no connection. `destroy` it.
 */
export async function openS3(environment: NodeJS.ProcessEnv = process.env): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const { awsTransport } = await import('../http/index.ts');
  const requestHandler = awsTransport({ environment });
  const endpoint = environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'];
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'];
  return new S3Client({
    maxAttempts: 4,
    followRegionRedirects: true,
    ...(requestHandler === undefined ? {} : { requestHandler }),
    // Other services than Amazon's mostly have no names of their own for buckets.
    ...(endpoint === undefined || endpoint === '' ? {} : { endpoint, forcePathStyle: true }),
    ...(region === undefined || region === '' ? {} : { region }),
  });
}
