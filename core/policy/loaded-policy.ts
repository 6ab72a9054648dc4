import type { Place } from '../problem/index.ts';
import type { PolicyPath } from './policy-path.ts';
import type { Policy } from './schema.ts';

/** A policy that holds together, and the text it was read from. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** As the caller named it; goes into places, so relative to what the host's places are relative to: the working directory. */
  readonly file: string;
  readonly text: string;
  /** Where the key or list entry of `path` stands, or its nearest ancestor that the text has. */
  placeOf(path: PolicyPath): Place;
}
