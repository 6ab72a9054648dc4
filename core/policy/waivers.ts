import type { Place } from '../problem/index.ts';
import type { Check, Notice } from '../report/index.ts';
import { excerpt } from '../text/index.ts';
import type { PolicyPath } from './policy-path.ts';
import type { Waiver } from './schema.ts';

/** Checks with waivers applied, and what a reader must know about the waivers. */
export interface WaivedChecks {
  readonly checks: readonly Check[];
  readonly notices: readonly Notice[];
}

export interface WaiverOptions {
  /** The effective policy's, so that notices point to the waivers' lines. */
  readonly placeOf?: (path: PolicyPath) => Place;
  /** The effective policy's `on_inconclusive`; `warn` when not given. */
  readonly onInconclusive?: 'warn' | 'error' | 'pass';
}

/**
 * Turns checks that block and that a waiver in force names into `waived`: failing ones, and with `onInconclusive: error`, where harmlessness
 * must be proven, inconclusive ones. `today` is a date such as `2026-11-21` (UTC); a waiver is in
 * force through the day it expires. `error` is never waived: what could not be judged cannot be accepted. Take the waivers
 * of the effective policy.
 *
 * @throws RangeError when `today` is not such a date: an unreadable clock must not keep waivers alive.
 */
export function applyWaivers(
  checks: readonly Check[],
  waivers: readonly Waiver[] | undefined,
  today: string,
  { placeOf, onInconclusive = 'warn' }: WaiverOptions = {},
): WaivedChecks {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(today)) throw new RangeError(`today is not a date: ${excerpt(today)}`);
  const all = waivers ?? [];
  const inForce = all.filter(({ expires }) => expires >= today);
  const blocks = ({ status }: Check) => status === 'fail' || (status === 'inconclusive' && onInconclusive === 'error');
  return {
    checks: checks.map((check) => (blocks(check) ? waive(check, inForce) : check)),
    notices: all.flatMap((waiver, index) => {
      const notice = noticeOf(waiver, checks, today, blocks);
      if (notice === undefined) return [];
      const place = placeOf?.(['waivers', index]);
      return [place === undefined ? notice : { ...notice, place }];
    }),
  };
}

function waive(check: Check, waivers: readonly Waiver[]): Check {
  const [waiver] = waivers
    .filter((candidate) => covers(candidate, check))
    .sort((one, other) => other.expires.localeCompare(one.expires, 'en'));
  if (waiver === undefined) return check;
  const { reason, expires } = waiver;
  return { ...check, status: 'waived', waiver: { reason, expires } };
}

/**
 * A check's id, or its beginning and a `*`. What is waived on the rows as they are is waived on the rows that a pull request took the place of:
 * `gate/accuracy/min` covers `gate[@base]/accuracy/min`, `gate[edge]/...` covers `gate[edge@base]/...`.
 */
function covers({ check: pattern }: Waiver, { id }: Check): boolean {
  const plain = id.replace(/^gate\[([A-Za-z0-9_-]*)@base\]/, (_, set: string) =>
    set === '' ? 'gate' : `gate[${set}]`,
  );
  return [id, plain].some(
    (each) => each === pattern || (pattern.endsWith('*') && each.startsWith(pattern.slice(0, -1))),
  );
}

function noticeOf(
  waiver: Waiver,
  checks: readonly Check[],
  today: string,
  blocks: (check: Check) => boolean,
): Notice | undefined {
  const name = excerpt(waiver.check);
  const covered = checks.filter((check) => covers(waiver, check));
  if (covered.length === 0) {
    return { level: 'notice', message: `The waiver for ${name} covers no check of this run. Correct or remove it.` };
  }
  if (waiver.expires < today) {
    return covered.some(blocks)
      ? { level: 'warning', message: `The waiver for ${name} expired on ${waiver.expires}, so the failure counts.` }
      : {
          level: 'notice',
          message: `The waiver for ${name} expired on ${waiver.expires} and is no longer needed. Remove it.`,
        };
  }
  if (covered.some(({ status }) => status === 'error')) {
    return {
      level: 'warning',
      message: `The waiver for ${name} does not cover an error: what could not be judged cannot be waived.`,
    };
  }
  if (waiver.expires > yearAfter(today)) {
    return {
      level: 'notice',
      message: `The waiver for ${name} is in force until ${waiver.expires}, more than a year from now.`,
    };
  }
  return undefined;
}

function yearAfter(date: string): string {
  return `${String(Number(date.slice(0, 4)) + 1).padStart(4, '0')}${date.slice(4)}`;
}
