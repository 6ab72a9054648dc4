import type { Host } from '../../core/host/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import type { SmokePolicy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check, Figure, Notice } from '../../core/report/index.ts';
import type { LoadShape } from '../load/index.ts';
import type { WireRequest } from '../protocol.ts';
import type { Clock } from './clock.ts';
import type { GoldenCases } from './golden-case.ts';
import type { Load } from './load-generator.ts';
import type { PreparedQuestion } from './question.ts';

/** The ONNX file that should be running. */
export interface LocalModel {
  readonly model: Model;
  /** Where it is on this machine, for its MD5. */
  readonly file: string;
}

export interface PlanOptions {
  readonly policy: SmokePolicy;
  readonly placeOf: (path: readonly (string | number)[]) => Place;
  /** How sure a bound must be; `off` compares points. */
  readonly level: number | 'off';
  readonly host: Host;
  /** The ONNX file; protocols of tensors need it unless signature and golden are off. */
  readonly local?: LocalModel;
  /** What the policy calls the values of an output: `model.classes`. */
  readonly classes?: readonly (string | number)[];
  /** Golden inputs that were read from files; made up when not given. */
  readonly cases?: GoldenCases;
  readonly questions?: readonly PreparedQuestion[];
  /**
   * Sends load over HTTP, at least so many requests; the protocol's own client is used where there is none, or where requests have no bytes
   * of HTTP.
   */
  readonly load?: (requests: readonly WireRequest[], shape: LoadShape, leastRequests: number) => Promise<Load>;
  /** Reads the text behind `digest.url` on the server's host. */
  readonly fetchText?: (path: string) => Promise<string>;
  readonly clock?: Clock;
}

export interface SmokeFindings {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
}

export type WithClock = PlanOptions & { readonly clock: Clock };
