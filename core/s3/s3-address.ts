/** `s3://bucket/key`. A key that ends with a slash, or is empty, is no object's. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

/** Whether a source names objects of S3. */
export function isS3Address(name: string): boolean {
  return /^s3:\/\//i.test(name);
}

/** `undefined` for what is no address. */
export function s3AddressOf(text: string): S3Address | undefined {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}
