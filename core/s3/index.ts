/**
 * Amazon S3: the client as all of Sluice opens it, what its refusals mean, and whether a bucket keeps models as a release needs it and an object is
 * the one that was released.
 * @module
 */
export { openS3 } from './open-s3.ts';
export { isS3Address, type S3Address, s3AddressOf } from './s3-address.ts';
export { s3Problem } from './s3-problem.ts';
export { type StoredModel, verifyBucket } from './verify-bucket.ts';
