/** A server that requests go to. */
export interface HttpTarget {
  /** With host, port and, where the server sits below one, a path. */
  readonly url: URL;
  /** Sent with every request; values are secrets: they are never shown. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of a certificate authority to trust beside the system's. */
  readonly ca?: string;
  /** Milliseconds one request may take. */
  readonly timeoutMs: number;
  /** Bytes of an answer that are read at most. */
  readonly maxAnswerBytes: number;
}
