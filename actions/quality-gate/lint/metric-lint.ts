import { metrics } from '../../../core/metrics/index.ts';
import type { EffectivePolicy, MetricBound, MetricName } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { boundedMetrics, changeOf, isOfClasses } from '../metric-gate.ts';
import { counted, numberText } from '../number-text.ts';
import { constantModel } from './constant-model.ts';
import type { EvaluationFacts, PartFacts } from './evaluation-facts.ts';
import type { BoundResolution, Finding } from './finding.ts';
import { type Resolution, resolutionOfBound, resolutionOfChange } from './resolution.ts';
import { type Assumptions, isShare } from './standard-error.ts';

export interface Linted {
  readonly bounds: readonly BoundResolution[];
  readonly findings: readonly Finding[];
}

export interface MetricLintOptions {
  readonly policy: EffectivePolicy;
  readonly facts: EvaluationFacts;
  /** The classes' sizes were read, not assumed. */
  readonly known: boolean;
  /** Slices with enough rows to be judged. */
  readonly slices: readonly PartFacts[];
  /** Every class, for bounds that hold each by itself. */
  readonly classes: readonly PartFacts[];
  readonly evidence: number | 'off';
  readonly assumptions: Assumptions;
}

/** What every bound of every metric can tell with these rows, over all of them and over the slices. */
export function lintMetrics(options: MetricLintOptions): Linted {
  const bounded = boundedMetrics(options);
  const family = options.classes.length * bounded.filter(isOfClasses).flatMap(({ bound }) => limitsOf(bound)).length;
  const parts = bounded.flatMap(({ name, bound }) => [
    ...limitsOf(bound).map((limit) =>
      isOfClasses({ bound })
        ? lintClasses(name, bound, limit, family, options)
        : lintLimit(name, bound, limit, options),
    ),
    ...changesOf(bound).map((change) => lintChange(name, bound, change, options)),
  ]);
  return { bounds: parts.flatMap(({ bounds }) => bounds), findings: parts.flatMap(({ findings }) => findings) };
}

interface Limit {
  readonly kind: 'min' | 'max';
  readonly value: number;
}

function limitsOf(bound: MetricBound): readonly Limit[] {
  return (['min', 'max'] as const).flatMap((kind) => {
    const value = bound[kind];
    return value === undefined ? [] : [{ kind, value }];
  });
}

function lintLimit(
  name: MetricName,
  bound: MetricBound,
  limit: Limit,
  { policy, facts, known, slices, evidence, assumptions }: MetricLintOptions,
): Linted {
  const level = levelOf(evidence);
  const id = `gate/${name}/${limit.kind}`;
  const title = `${name} ${limit.kind === 'min' ? '≥' : '≤'} ${limit.value}`;
  const place = policy.placeOf(['gates', name, limit.kind]);
  if (metrics[name].interval === 'exact') {
    const words = 'of these rows, exactly';
    return { bounds: [{ id, title, words, rows: facts.rows, sees: limit.value, passes: limit.value }], findings: [] };
  }
  const resolution = resolutionOfBound(name, bound, limit, facts, { level, assumptions });
  const findings: Finding[] = neverFindings(title, resolution, place);
  const constant = known ? constantModel(name, bound, facts) : undefined;
  if (constant !== undefined && meets(constant.value, limit)) {
    findings.push({
      code: 'hollow-bound',
      level: 'warning',
      message: `${title} is met by a model that has learned nothing: one that ${constant.does} has ${numberText(constant.value, limit.value)} on these rows`,
      fix: `${limit.kind === 'min' ? 'Raise' : 'Lower'} it well past ${numberText(constant.value)}.`,
      place,
    });
  }
  const perSlice = { level, levelToFail: sharedLevel(level, slices.length), assumptions };
  const ofSlices = slices.map((slice) => ({ slice, found: resolutionOfBound(name, bound, limit, slice, perSlice) }));
  const hopeless = ofSlices.filter(({ found }) => found.passes === undefined);
  if (resolution.passes !== undefined && hopeless.length > 0) {
    const least = Math.min(...hopeless.map(({ found }) => found.rows));
    findings.push({
      code: 'slice-never-passes',
      level: 'warning',
      message: `${title} can never pass in ${counted(hopeless.length, 'slice')} (${named(hopeless.map(({ slice }) => slice.name))}): on ${counted(least, 'row')} not even a perfect score proves it`,
      fix: 'Collect more rows of them, or raise evaluation.min_rows so that they are skipped.',
      place,
    });
  }
  return {
    bounds: [
      { id, title, words: limitWords(resolution, limit), ...resolution },
      ...ofSlices.map(({ slice, found }) => ({
        id: `${id}[${slice.name}]`,
        title: `${title} where ${slice.name}`,
        words: limitWords(found, limit),
        ...found,
      })),
    ],
    findings,
  };
}

/** A bound that every class is held to by itself, all of them as one family of `family` checks. */
function lintClasses(
  name: MetricName,
  { average: _, ...bound }: MetricBound,
  limit: Limit,
  family: number,
  { policy, classes, evidence, assumptions }: MetricLintOptions,
): Linted {
  const level = levelOf(evidence);
  const place = policy.placeOf(['gates', name, limit.kind]);
  const title = `${name} ${limit.kind === 'min' ? '≥' : '≤'} ${limit.value}`;
  const options = { level, levelToFail: sharedLevel(level, family), assumptions };
  const found = classes.map((of) => ({ of, found: resolutionOfBound(name, bound, limit, of, options) }));
  const hopeless = found.filter((each) => each.found.passes === undefined);
  const least = Math.min(...hopeless.map((each) => each.found.rows));
  return {
    bounds: found.map(({ of, found }) => ({
      id: `gate/${name}/${limit.kind}[class=${of.name}]`,
      title: `${title} of class "${excerpt(of.name, 40)}"`,
      words: limitWords(found, limit),
      ...found,
    })),
    findings:
      hopeless.length === 0
        ? []
        : [
            {
              code: 'class-never-passes',
              level: 'warning',
              message: `${title} can never pass for ${counted(hopeless.length, 'class', 'classes')} (${named(hopeless.map(({ of }) => of.name))}): on ${counted(least, 'row')} not even a perfect score proves it`,
              fix: 'Collect more rows of them, or bound an average.',
              place,
            },
          ],
  };
}

function changesOf(bound: MetricBound): readonly ('max_regression' | 'min_improvement')[] {
  return (['max_regression', 'min_improvement'] as const).filter((kind) => bound[kind] !== undefined);
}

function lintChange(
  name: MetricName,
  bound: MetricBound,
  kind: 'max_regression' | 'min_improvement',
  { policy, facts, evidence, assumptions }: MetricLintOptions,
): Linted {
  const written = bound[kind];
  if (written === undefined || metrics[name].interval === 'exact') return { bounds: [], findings: [] };
  const id = `gate/${name}/${kind}`;
  const title = `${name} ${kind === 'max_regression' ? `at most ${written} worse` : `at least ${written} better`}`;
  const place = policy.placeOf(['gates', name, kind]);
  const value = likelyValue(name, bound);
  const { change: asked, relative } = changeOf(written);
  const change = relative ? asked * Math.abs(value) : asked;
  const level = levelOf(evidence);
  const found = resolutionOfChange(name, bound, { kind, change, value }, facts, { level, assumptions });
  const findings: Finding[] = [];
  const inWords = (amount: number) => changeText(name, amount, relative ? value : undefined);
  if (found.sees === undefined) {
    findings.push({
      code: 'never-fails',
      level: 'warning',
      message: `${title} can hardly fail: on ${counted(found.rows, 'row')} no loss is large enough to be seen reliably`,
      fix: 'Evaluate on more rows.',
      place,
    });
  }
  if (kind === 'max_regression' && asked === 0 && evidence !== 'off') {
    findings.push({
      code: 'never-passes',
      level: 'warning',
      message: `${title} passes only a model that is proven better: of one that is just as good no number of rows proves a loss of nothing`,
      fix: `Allow a small loss, such as max_regression: ${numberText(roundUp(Math.max(0.001, -(found.passes ?? -0.01))))}.`,
      place,
    });
  } else if (kind === 'max_regression' && found.rowsToPass !== undefined) {
    findings.push({
      code: 'unresolved-regression',
      level: asked > 0 && found.rowsToPass > 4 * facts.rows ? 'warning' : 'note',
      message: `${title}: ${counted(facts.rows, 'row')} are too few to prove it of a model that is just as good; most such checks will be inconclusive`,
      fix: `Evaluate on about ${counted(found.rowsToPass, 'row')}, or allow ${inWords(roundUp(change - (found.passes ?? -change)))}.`,
      place,
    });
  }
  return { bounds: [{ id, title, words: changeWords(kind, found, inWords), ...found }], findings };
}

function neverFindings(title: string, { sees, passes, rows }: Resolution, place: Finding['place']): Finding[] {
  return [
    ...(passes === undefined
      ? [
          {
            code: 'never-passes',
            level: 'warning' as const,
            message: `${title} can never pass: on ${counted(rows, 'row')} not even a perfect score proves it`,
            fix: 'Evaluate on more rows, or set a bound that can be proven.',
            place,
          },
        ]
      : []),
    ...(sees === undefined
      ? [
          {
            code: 'never-fails',
            level: 'warning' as const,
            message: `${title} can hardly fail: on ${counted(rows, 'row')} no value is bad enough to be reliably seen`,
            fix: 'Evaluate on more rows, or set a tighter bound.',
            place,
          },
        ]
      : []),
  ];
}

function limitWords({ sees, passes }: Resolution, { kind }: Limit): string {
  const [bad, good] = kind === 'min' ? ['≤', '≥'] : ['≥', '≤'];
  const fails = sees === undefined ? 'can hardly fail' : `reliably fails ${bad} ${short(sees)}`;
  return `${fails}, ${passes === undefined ? 'can never pass' : `reliably passes ${good} ${short(passes)}`}`;
}

function changeWords(
  kind: 'max_regression' | 'min_improvement',
  { sees, passes, rowsToPass }: Resolution,
  text: (amount: number) => string,
): string {
  if (kind === 'min_improvement') {
    const gain = passes === undefined ? 'can hardly pass' : `reliably passes a gain ≥ ${text(passes)}`;
    return `${gain}${sees === undefined ? '' : `, reliably fails a loss ≥ ${text(sees)}`}`;
  }
  const loss = sees === undefined ? 'can hardly fail' : `reliably sees a loss ≥ ${text(sees)}`;
  if (passes === undefined) return `${loss}, can never pass`;
  if (passes >= 0) return `${loss}, passes a model that is just as good`;
  const rows = rowsToPass === undefined ? '' : ` (${counted(rowsToPass, 'row')} would)`;
  return `${loss}, too few rows to pass one that is just as good${rows}`;
}

/** `4 pt` of a share; a number in the metric's own unit; a percentage where the bound is one. */
function changeText(name: MetricName, amount: number, baseline: number | undefined): string {
  if (baseline !== undefined) return `${short((amount / Math.abs(baseline)) * 100)} %`;
  return isShare(name) || name === 'roc_auc' || name === 'average_precision' || name === 'ece'
    ? `${short(amount * 100)} pt`
    : short(amount);
}

/** About where both models are, before they have run: at the bound, else where models usually are. */
function likelyValue(name: MetricName, { min, max }: MetricBound): number {
  const { better, unit, range } = metrics[name];
  const written = better === 'higher' ? (min ?? max) : (max ?? min);
  if (written !== undefined && written !== 0) return written;
  if (name === 'matthews_corrcoef' || name === 'r2') return 0.7;
  if (better === 'higher') return 0.9;
  return unit === 'share' || range[1] <= 2 ? 0.1 : 1;
}

function levelOf(evidence: number | 'off'): number {
  return evidence === 'off' ? 0.5 : evidence;
}

/** How sure one of many slices must be to fail, should it be the only one. */
function sharedLevel(level: number, slices: number): number {
  return level <= 0.5 ? level : 1 - (1 - level) / Math.max(1, slices);
}

function meets(value: number, { kind, value: limit }: Limit): boolean {
  return kind === 'min' ? value >= limit : value <= limit;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => excerpt(name, 40));
  return names.length > shown.length ? `${shown.join('; ')}; ...` : shown.join('; ');
}

/** Two digits, away from zero: what is promised must hold. */
function roundUp(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Number((Math.ceil(value / step) * step).toPrecision(2));
}

function short(value: number): string {
  return numberText(Number(value.toPrecision(Math.abs(value) >= 0.1 && Math.abs(value) < 1 ? 3 : 2)));
}
