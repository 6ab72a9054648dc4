import { resolve } from 'node:path';
import type { Engine } from '../../../core/data/index.ts';
import type { Host } from '../../../core/host/index.ts';
import type { EffectivePolicy } from '../../../core/policy/index.ts';
import { SluiceError } from '../../../core/problem/index.ts';
import type { Check, Figure, Notice, Report } from '../../../core/report/index.ts';
import type { BaseFiles } from '../../../github/index.ts';
import { type EvaluationRows, openEvaluation } from '../evaluation-rows.ts';
import { judgeRows, type ModelsToJudge, prepareRows, type RowsToJudge } from '../judged-rows.ts';
import { openBaseRows, unfitForBaseRows } from './base-rows.ts';
import { evaluationRowsName, named, type SetName } from './set-name.ts';
import { policyOfSet } from './set-policy.ts';

export interface SetsOptions {
  readonly directory: string;
  readonly engine: Engine;
  readonly base: BaseFiles | undefined;
  /** Columns that the model takes as text although they may look like numbers. */
  readonly text: readonly string[];
  readonly models: ModelsToJudge;
  readonly host: Host;
}

export interface JudgedSets {
  /** The rows of `evaluation.source`, as the pull request has them. */
  readonly main: RowsToJudge;
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
  readonly sources: Report['sources'];
}

interface OpenSet {
  readonly set: SetName;
  readonly of: RowsToJudge;
}

/**
 * Judges the models on the rows of `evaluation.source`, on every one of `evaluation.sets`, and where the pull request changed one of those files, on the
 * base commit's as well: all bounds of a set hold on both, so the stricter verdict counts. Every set is opened, and every expression of the policy
 * read, before a model runs.
 */
export async function judgeSets(policy: EffectivePolicy, options: SetsOptions): Promise<JudgedSets> {
  const { directory, engine, base, text, models, host } = options;
  const opened: AsyncDisposable[] = [];
  await using _ = {
    async [Symbol.asyncDispose]() {
      for (const each of opened.toReversed()) await each[Symbol.asyncDispose]();
    },
  };
  const open: OpenSet[] = [];
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const notices: Notice[] = [];
  const prepared = async (set: SetName, its: EffectivePolicy, rows: EvaluationRows) => {
    const of = await prepareRows(its, rows, models, host);
    opened.push(of);
    open.push({ set, of });
    return of;
  };
  const onBaseRows = async <Result>(set: SetName, rows: EvaluationRows, work: () => Promise<Result>) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      checks.push(...named(set, { checks: [unfitForBaseRows(error, rows)] }).checks);
      return undefined;
    }
  };
  const add = async (set: SetName, its: EffectivePolicy): Promise<RowsToJudge> => {
    const rows = await openEvaluation(its, directory, engine, text);
    const of = await prepared(set, its, rows);
    const before = await openBaseRows(its, rows, base, { directory, text, host });
    opened.push(before);
    checks.push(...named(set, before).checks);
    notices.push(...before.notices);
    if (before.changed !== undefined) {
      const { policy: itsPolicy, rows: itsRows } = before.changed;
      const name = { ...set, ofBase: true };
      await onBaseRows(name, itsRows, () => prepared(name, itsPolicy, itsRows));
    }
    return of;
  };
  const main = await add(evaluationRowsName, policy);
  for (const [index, { name }] of (policy.policy.evaluation?.sets ?? []).entries()) {
    await add({ name, ofBase: false }, policyOfSet(policy, index));
  }
  let { noBaseline } = main;
  for (const { set, of } of open) {
    const judge = () => judgeRows(of, host, { explained: of === main });
    const judged = await (set.ofBase ? onBaseRows(set, of.rows, judge) : judge());
    if (judged === undefined) continue;
    if (of === main) ({ noBaseline } = judged);
    const told = named(set, judged);
    checks.push(...told.checks);
    figures.push(...told.figures);
    notices.push(...told.notices);
  }
  return {
    main: { ...main, noBaseline },
    checks,
    figures,
    notices,
    sources: sourcesOf(open, directory),
  };
}

/** Every file once, as it is checked out. */
function sourcesOf(open: readonly OpenSet[], directory: string): Report['sources'] {
  const files = new Map<string, Report['sources'][number]>();
  for (const { set, of } of open) {
    if (set.ofBase) continue;
    const { policy, table } = of.rows;
    const file = resolve(directory, policy.source);
    if (!files.has(file)) files.set(file, { path: policy.source, sha256: table.sha256, rows: table.rows });
  }
  return [...files.values()];
}
