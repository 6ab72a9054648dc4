import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const room = import.meta.dirname;
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-run-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const prelude = `
import { runAction } from '${room}/run-action.ts';
import { InputError, PolicyError } from '${room}/../core/problem/index.ts';
import { assembleReport } from '${room}/../core/report/index.ts';
const check = (status, id = status) => ({ id, title: id, section: 'gate', status, message: id + ' was told', place: { file: 'sluice.yaml', line: 3, column: 5 } });
const reportOf = (checks) => assembleReport({
  tool: { name: 'sluice', version: '0' }, name: 'n', checks, figures: [], notices: [], sources: [],
  policy: { file: 'sluice.yaml', origin: 'head-only', evidence: 0.9, onInconclusive: 'warn', differences: [] },
  environment: { platform: 'p', cpu: 'c', node: 'v' },
});
const act = (run, read = () => '') => runAction(read, async () => run);
`;

/** Runs an action as the runner does: a process of its own, whose standard output is read for commands. */
async function act(script: string): Promise<{ code: number; log: string; summary: string; outputs: string }> {
  const file = join(directory, 'action.mts');
  const [summary, outputs] = [join(directory, 'summary'), join(directory, 'outputs')];
  await Promise.all([writeFile(file, prelude + script), writeFile(summary, ''), writeFile(outputs, '')]);
  const env = { PATH: process.env['PATH'], GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
  const { code, log } = await new Promise<{ code: number; log: string }>((resolve) => {
    execFile(process.execPath, [file], { cwd: directory, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, log: stdout + stderr });
    });
  });
  return { code, log, summary: await readFile(summary, 'utf8'), outputs: await readFile(outputs, 'utf8') };
}
const commands = (log: string) => log.split('\n').filter((line) => line.startsWith('::'));

describe('runAction', () => {
  test('a pass ends with 0 and shows the report', async () => {
    const { code, log } = await act(`await act(async () => reportOf([check('pass')]));`);
    expect(code).toBe(0);
    expect(log).toContain('pass');
    expect(commands(log)).toEqual([]);
  });

  test('a failure marks the policy line and ends with one red line', async () => {
    const { code, log } = await act(`await act(async () => reportOf([check('pass'), check('fail'), check('warn')]));`);
    expect(code).toBe(1);
    expect(commands(log)).toEqual([
      '::error file=sluice.yaml,line=3,col=5::fail: fail was told',
      '::warning file=sluice.yaml,line=3,col=5::warn: warn was told',
      expect.stringMatching(/^::error::1 of 3 checks failed/),
    ]);
  });

  test('never gives GitHub more annotations than it shows', async () => {
    const { log } = await act(
      `await act(async () => reportOf(Array.from({ length: 40 }, (_, index) => check('fail', 'c' + index))));`,
    );
    expect(commands(log)).toHaveLength(10);
  });

  test('text from data never becomes a command', async () => {
    const { log } = await act(`await act(async (_, host) => {
      host.info('a\\n::set-env name=A::b\\n ##[add-path]c');
      await host.group('g\\n::stop-commands::x', async () => {});
      host.error('x\\n::error::y\\r\\n::warning::z', { file: 'a,line=9::b' });
      return reportOf([check('pass', '::error::from a title')]);
    });`);
    expect(commands(log)).toEqual([
      '::group::g%0A: :stop-commands: :x',
      '::endgroup::',
      '::error file=a%2Cline=9%3A%3Ab::x%0A: :error: :y\\u{d}%0A: :warning: :z',
    ]);
    expect(log).not.toContain('##[');
  });

  test("a problem of the user's is one annotation at its place, exit code 1, and in the summary", async () => {
    const { code, log, summary, outputs } = await act(`await act(async () => {
      throw new PolicyError({ code: 'unknown-key', message: 'unknown key "accuraccy"', place: { file: 'sluice.yaml', line: 7, column: 3 }, fix: 'Did you mean "accuracy"?' });
    });`);
    expect(code).toBe(1);
    expect(commands(log)).toEqual([
      '::error file=sluice.yaml,line=7,col=3::sluice.yaml:7:3: unknown key "accuraccy". Did you mean "accuracy"?',
    ]);
    expect(log).not.toContain('at ');
    expect(summary).toContain('Sluice could not judge');
    expect(summary).toContain('accuraccy');
    expect(outputs).toContain('conclusion');
  });

  test('problems without a place are one annotation, those with one stand where they are', async () => {
    const { log } = await act(`await act(async () => {
      const problem = (code, place) => ({ code, message: 'message of ' + code, ...(place ? { place } : {}) });
      throw new InputError([problem('a'), problem('b', { file: 'x.yaml', line: 2 }), problem('c')]);
    });`);
    expect(commands(log)).toEqual([
      '::error file=x.yaml,line=2::x.yaml:2: message of b.',
      '::error::message of a.%0Amessage of c.',
    ]);
  });

  test('a wrong input is told before anything runs', async () => {
    const { code, log } = await act(
      `await act(async () => { throw new Error('ran'); }, (name) => (name === 'comment' ? 'sometimes' : ''));`,
    );
    expect(code).toBe(1);
    expect(commands(log)).toEqual([expect.stringMatching(/^::error::the input "comment"/)]);
  });

  test('anything else is called a bug, with how to report it', async () => {
    const { code, log } = await act(`await act(async () => { throw new TypeError('x is not a function'); });`);
    expect(code).toBe(1);
    expect(commands(log)).toEqual([expect.stringMatching(/bug in Sluice .*issues.*TypeError: x is not a function/)]);
  });
});
