/** What a client may take from the server at most. */
export interface Limits {
  /** Bytes of one request's body, after decompression. More is a 413. @default 67108864 (64 MiB) */
  readonly maxBodyBytes: number;
  /** Bytes of bodies that are being received and worked on, all clients together. More is a 503. @default 268435456 (256 MiB) */
  readonly maxBufferedBytes: number;
  /** Bytes of request line and headers. More is a 431. @default 16384 */
  readonly maxHeaderBytes: number;
  /** Connections at once; further ones are closed at once. @default 4096 */
  readonly maxConnections: number;
  /** Milliseconds from a request's first byte to the end of its headers. @default 10000 */
  readonly headersTimeoutMs: number;
  /** Milliseconds from a request's first byte to its last. @default 60000 */
  readonly requestTimeoutMs: number;
  /** Milliseconds a connection may stay open without a request. @default 75000 */
  readonly keepAliveTimeoutMs: number;
}

export const defaultLimits: Limits = {
  maxBodyBytes: 64 * 2 ** 20,
  maxBufferedBytes: 256 * 2 ** 20,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 4096,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
};
