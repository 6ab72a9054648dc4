import type { HttpTarget } from '../core/http/index.ts';

/** A running model server as a user names it: with `http://`, `https://`, `grpc://` or `grpcs://`. */
export interface Target extends HttpTarget {
  /** The model's name on the server; protocols without names ignore it. */
  readonly model?: string;
  readonly version?: string;
}
