/** A request as bytes: what a load generator sends over and over. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query on the target's host. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
