/** What a source may bring onto this machine's disk. */
export interface SourceLimits {
  /** Bytes that one source may be downloaded or unpacked to. */
  readonly bytes: number;
  /** Bytes that any compressed file may unpack to, however small it is. */
  readonly freelyUnpacked: number;
  /** How many times its size a compressed file may unpack to beyond that. Tables of text reach 5 to 30, gzip's bombs 1030. */
  readonly ratio: number;
}

export const sourceLimits: SourceLimits = { bytes: 16e9, freelyUnpacked: 256e6, ratio: 200 };
