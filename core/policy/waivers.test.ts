import { describe, expect, it } from 'vitest';
import type { Check, Status } from '../report/index.ts';
import type { Waiver } from './schema.ts';
import { applyWaivers } from './waivers.ts';

const today = '2026-11-21';
const check = (id: string, status: Status): Check => ({ id, title: id, section: 'gate', status, message: 'm' });
const waiver = (name: string, expires = '2026-12-31', reason = 'known'): Waiver => ({ check: name, reason, expires });

describe('applyWaivers', () => {
  it('turns a failing check into a waived one, with reason and expiry', () => {
    const { checks, notices } = applyWaivers(
      [check('gate/accuracy/min', 'fail')],
      [waiver('gate/accuracy/min')],
      today,
    );
    expect(checks).toEqual([
      { ...check('gate/accuracy/min', 'waived'), waiver: { reason: 'known', expires: '2026-12-31' } },
    ]);
    expect(notices).toEqual([]);
  });

  it.each<Status>(['error', 'pass', 'warn', 'inconclusive', 'skipped'])(
    'leaves a check with status %s as it is',
    (status) => {
      const original = check('gate/a', status);
      expect(applyWaivers([original], [waiver('gate/a')], today).checks).toEqual([original]);
    },
  );

  it('waives what is inconclusive where the policy asks for proof, and only there', () => {
    const unsettled = check('gate/a', 'inconclusive');
    const status = (onInconclusive: 'error' | 'warn' | 'pass') =>
      applyWaivers([unsettled], [waiver('gate/a')], today, { onInconclusive }).checks[0]?.status;
    expect([status('error'), status('warn'), status('pass')]).toEqual(['waived', 'inconclusive', 'inconclusive']);
  });

  it('says that an expired waiver no longer covers what is inconclusive where the policy asks for proof', () => {
    const { checks, notices } = applyWaivers(
      [check('gate/a', 'inconclusive')],
      [waiver('gate/a', '2026-01-01')],
      today,
      {
        onInconclusive: 'error',
      },
    );
    expect(checks[0]?.status).toBe('inconclusive');
    expect(notices[0]?.message).toBe('The waiver for gate/a expired on 2026-01-01, so the failure counts.');
  });

  it('says that an error is not waived', () => {
    const { notices } = applyWaivers([check('gate/a', 'error')], [waiver('gate/a')], today);
    expect(notices).toEqual([
      {
        level: 'warning',
        message: 'The waiver for gate/a does not cover an error: what could not be judged cannot be waived.',
      },
    ]);
  });

  it('covers every check that begins so when it ends with a star, and only then', () => {
    const all = ['data/a.csv/unique[id]', 'data/a.csv/row_count', 'data/b.csv/row_count'].map((id) =>
      check(id, 'fail'),
    );
    const statuses = (name: string) => applyWaivers(all, [waiver(name)], today).checks.map(({ status }) => status);
    expect(statuses('data/a.csv/*')).toEqual(['waived', 'waived', 'fail']);
    expect(statuses('data/a.csv/')).toEqual(['fail', 'fail', 'fail']);
    expect(statuses('data/*/row_count')).toEqual(['fail', 'fail', 'fail']);
    expect(statuses('DATA/A.CSV/*')).toEqual(['fail', 'fail', 'fail']);
  });

  it('is in force through the day it expires, and not the day after', () => {
    const on = (date: string) => applyWaivers([check('gate/a', 'fail')], [waiver('gate/a')], date).checks[0]?.status;
    expect(on('2026-12-31')).toBe('waived');
    expect(on('2027-01-01')).toBe('fail');
  });

  it('says that an expired waiver no longer counts, at its line', () => {
    const placeOf = (path: readonly (string | number)[]) => ({ file: 'sluice.yaml', line: Number(path[1]) + 10 });
    const { notices } = applyWaivers(
      [check('gate/a', 'fail')],
      [waiver('gate/a'), waiver('gate/*', '2026-11-20')],
      today,
      { placeOf },
    );
    expect(notices).toEqual([
      {
        level: 'warning',
        message: 'The waiver for gate/* expired on 2026-11-20, so the failure counts.',
        place: { file: 'sluice.yaml', line: 11 },
      },
    ]);
  });

  it('says which waivers are stale, without cause or in force for long', () => {
    const { notices } = applyWaivers(
      [check('gate/a', 'pass'), check('gate/b', 'fail')],
      [waiver('gate/a', '2026-01-01'), waiver('gate/typo'), waiver('gate/b', '2027-11-22')],
      today,
    );
    expect(notices.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'notice: The waiver for gate/a expired on 2026-01-01 and is no longer needed. Remove it.',
      'notice: The waiver for gate/typo covers no check of this run. Correct or remove it.',
      'notice: The waiver for gate/b is in force until 2027-11-22, more than a year from now.',
    ]);
  });

  it('shows the waiver that lasts longest when several cover a check', () => {
    const waivers = [
      waiver('gate/*', '2026-12-01', 'short'),
      waiver('gate/a', '2027-01-01', 'long'),
      waiver('gate/a', '2020-01-01'),
    ];
    expect(applyWaivers([check('gate/a', 'fail')], waivers, today).checks[0]?.waiver?.reason).toBe('long');
  });

  it('does nothing without waivers', () => {
    expect(applyWaivers([check('gate/a', 'fail')], undefined, today)).toEqual({
      checks: [check('gate/a', 'fail')],
      notices: [],
    });
  });

  it('refuses a day that is not a date, which would keep every waiver alive', () => {
    expect(() => applyWaivers([], [], '21.11.2026')).toThrow(RangeError);
  });
});
