import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { PolicyError, type Problem } from '../problem/index.ts';
import { damagedPolicy } from './fixtures/damaged-policy.ts';
import { maximumPolicyBytes, parsePolicy } from './parse-policy.ts';

const design = readFileSync(new URL('fixtures/design.yaml', import.meta.url), 'utf8');

/** What the policy is refused with; undefined when it is accepted. */
function refusalOf(source: string | Uint8Array): PolicyError | undefined {
  try {
    parsePolicy(source, 'sluice.yaml');
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

function errorOf(source: string | Uint8Array): PolicyError {
  const refusal = refusalOf(source);
  if (refusal === undefined) throw new Error('the policy was accepted');
  return refusal;
}

function problemsOf(source: string | Uint8Array): readonly Problem[] {
  return errorOf(source).problems;
}

/** A policy that is right but for what stands in `gates`. */
const withGates = (gates: string) =>
  `version: 1\nmodel: { path: m.onnx }\nevaluation: { source: t.csv, target: y }\ngates:\n${gates.replace(/^/gm, '  ')}\n`;
/** A policy that is right but for one list of checks. */
const withChecks = (...checks: readonly string[]) =>
  `version: 1\ndata:\n  - source: a.csv\n    checks:\n${checks.map((check) => `      - ${check}\n`).join('')}`;

/** What every problem of a policy's text has: what, where, and what to do about it. */
const mendable: unknown = expect.objectContaining({
  code: expect.stringMatching(/^[a-z][a-z0-9-]+$/),
  message: expect.stringMatching(/\S/),
  place: expect.objectContaining({ file: 'sluice.yaml', line: expect.any(Number) }),
  fix: expect.stringMatching(/^["A-Z].*[.?]$/),
});
const scribble = fc
  .array(
    fc.constantFrom(
      'version',
      'data',
      'gates',
      'min',
      ':',
      ' ',
      '\n',
      '- ',
      '  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '&a ',
      '*a',
      '!',
      '"',
      "'",
      '|',
      '#',
      '? ',
      '1',
      '.nan',
      '\t',
      '%',
      '<<',
    ),
    { maxLength: 40 },
  )
  .map((words) => words.join(''));

describe('parsePolicy', () => {
  it('reads the example of the design page', () => {
    const { policy, file, text } = parsePolicy(design, 'sluice.yaml');
    expect({ file, text }).toEqual({ file: 'sluice.yaml', text: design });
    expect(policy.model).toEqual({ path: 'models/churn.onnx', baseline: 'base' });
    expect(policy.data?.[0]?.checks.map((check) => Object.keys(check)[0])).toEqual([
      'row_count',
      'schema',
      'not_null',
      'between',
      'accepted_values',
      'class_share',
      'duplicate_rows',
    ]);
    expect(policy.gates?.latency).toEqual({ p95_ms: 100, max_regression: '10%' });
    expect(policy.evaluation?.slices).toEqual(['country', { age: [0, 25, 65] }]);
  });

  it('reads country code NO and the word yes as text, as YAML 1.2 does', () => {
    const { policy } = parsePolicy(withChecks('accepted_values: { column: c, values: [NO, yes, on, 012] }'), 'p');
    expect(policy.data?.[0]?.checks[0]?.accepted_values?.values).toEqual(['NO', 'yes', 'on', 12]);
  });

  it('knows the line and column of a key, and of its nearest ancestor where the key is not written', () => {
    const policy = parsePolicy(design, 'sluice.yaml');
    expect(policy.placeOf(['gates', 'accuracy', 'min'])).toEqual({
      file: 'sluice.yaml',
      line: 15,
      column: 15,
      key: 'gates.accuracy.min',
    });
    expect(policy.placeOf(['gates', 'accuracy', 'severity'])).toMatchObject({ line: 15, column: 3 });
    expect(policy.placeOf(['data', 0, 'checks', 2])).toMatchObject({ line: 8, column: 9, key: 'data[0].checks[2]' });
    expect(policy.placeOf(['data', 7, 'checks'])).toMatchObject({ line: 3, column: 1 });
    expect(policy.placeOf([])).toMatchObject({ line: 1, column: 1 });
  });

  it('shares an anchored value and finds the place of what stands in it', () => {
    const text =
      'version: 1\ndata:\n  - source: a.csv\n    checks: &checks\n      - unique: { columns: [id] }\n  - source: b.csv\n    checks: *checks\n';
    const { policy, placeOf } = parsePolicy(text, 'p');
    expect(policy.data?.[1]?.checks).toEqual([{ unique: { columns: ['id'] } }]);
    expect(placeOf(['data', 1, 'checks', 0, 'unique'])).toMatchObject({ line: 5, column: 9 });
  });

  it('tells every problem at once, in the order of the text', () => {
    const text = `version: "1"
model: models/a.onnx
min_rows: 3
data:
  - source: a.csv
    checks:
      - not_nul: { columns: all }
      - not_null
      - not_null: { columns: age, mostly: 95 }
      - row_count: 10000
      - between: { column: 1, min: "0.9", max: 1 }
evaluation: { source: test.csv, taget: label }
gates:
  acuracy: { min: 0.9 }
  f1: { max_regression: abc, severity: eror }
evidence: 95%
on_inconclusive: warning
`;
    expect(errorOf(text).message.split('\n')).toMatchInlineSnapshot(`
      [
        "sluice.yaml:1:10 version: wrong value: found the text "1", expected 1. Remove the quotes: 1.",
        "sluice.yaml:2:8 model: wrong value: found the text "models/a.onnx", expected a mapping ("key: value" lines). Write { path: models/a.onnx }.",
        "sluice.yaml:3:1 min_rows: unknown key "min_rows". "min_rows" belongs in evaluation, drift, evaluation.weak_slices, ....",
        "sluice.yaml:7:9 data[0].checks[0].not_nul: unknown key "not_nul". Did you mean "not_null"?",
        "sluice.yaml:8:9 data[0].checks[1]: wrong value: found the text "not_null", expected a mapping ("key: value" lines). Write "- not_null: { columns: ... }".",
        "sluice.yaml:9:30 data[0].checks[2].not_null.columns: wrong value: found the text "age", expected "all" or a list of column names. Write a list: [age].",
        "sluice.yaml:9:43 data[0].checks[2].not_null.mostly: wrong value: found 95, expected a share from 0 to 1. Write 0.95 for 95 %.",
        "sluice.yaml:10:20 data[0].checks[3].row_count: wrong value: found 10000, expected a mapping ("key: value" lines). Write "row_count: { min: 10000 }".",
        "sluice.yaml:11:28 data[0].checks[4].between.column: wrong value: found 1, expected text. Put it in quotes: "1".",
        "sluice.yaml:11:36 data[0].checks[4].between.min: wrong value: found the text "0.9", expected a number, or a date such as "2026-08-01" or "2026-08-01 12:30:00". Remove the quotes: 0.9.",
        "sluice.yaml:12:33 evaluation.taget: unknown key "taget". Did you mean "target"?",
        "sluice.yaml:14:3 gates.acuracy: unknown key "acuracy". Did you mean "accuracy"?",
        "sluice.yaml:15:25 gates.f1.max_regression: wrong value: found the text "abc", expected a number, or a percentage such as "5%". Write a number, or a percentage such as "5%" there.",
        "sluice.yaml:15:40 gates.f1.severity: wrong value: found the text "eror", expected "error" or "warn". Did you mean "error"?",
        "sluice.yaml:16:11 evidence: wrong value: found the text "95%", expected "off" or a number over 0.5 and under 1. Write 0.95.",
        "sluice.yaml:17:18 on_inconclusive: wrong value: found the text "warning", expected "warn" or "error" or "pass". Did you mean "warn"?",
      ]
    `);
  });

  it('shows twenty problems and counts the rest', () => {
    const keys = Array.from({ length: 25 }, (_, index) => `unheard_of_${index}: 1\n`).join('');
    const problems = problemsOf(`${withChecks('unique: { columns: [id] }')}${keys}`);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toEqual({
      code: 'more-problems',
      message: 'and 5 more problems',
      place: { file: 'sluice.yaml', line: 26, column: 1, key: 'unheard_of_20' },
      fix: 'Mend the first ones, then run again.',
    });
  });

  it.each([
    ['an empty file', '', 'empty-policy'],
    ['a file of comments', '# nothing\n---\n', 'empty-policy'],
    ['an unclosed list', 'version: 1\ndata: [', 'yaml-syntax'],
    ['a tab as indentation', 'version: 1\nmodel:\n\tpath: a\n', 'yaml-syntax'],
    ['two documents', 'version: 1\n---\nversion: 1\n', 'yaml-syntax'],
    ['a custom tag', 'version: !secret 1\n', 'yaml-syntax'],
    ['a standard tag', 'version: !!int 1\n', 'yaml-tag'],
    ['YAML 1.1', '%YAML 1.1\n---\nversion: 1\n', 'yaml-version'],
    ['a key twice', 'version: 1\nversion: 1\n', 'duplicate-key'],
    ['an alias of nothing', 'version: *one\n', 'unknown-anchor'],
    ['an alias inside its own anchor', 'version: &a [*a]\n', 'recursive-alias'],
    ['a list instead of a policy', '- version: 1\n', 'wrong-type'],
    ['a policy that asserts nothing', 'version: 1\n', 'asserts-nothing'],
    ['empty gates and nothing else', 'version: 1\ngates: {}\n', 'asserts-nothing'],
    ['a missing version', withChecks('unique: { columns: [id] }').replace('version: 1\n', ''), 'missing-key'],
    ['another version', withChecks('unique: { columns: [id] }').replace('version: 1', 'version: 2'), 'wrong-value'],
    ['brackets a hundred deep', `version: ${'['.repeat(100)}${']'.repeat(100)}`, 'too-deep'],
    ['brackets half a million deep', '['.repeat(500_000), 'too-deep'],
  ])('refuses %s with one error', (_what, text, code) => {
    expect(problemsOf(text).map((problem) => problem.code)).toEqual([code]);
  });

  it('says where a key that stands twice stood first', () => {
    expect(problemsOf('version: 1\nmodel: { path: a }\nmodel: { path: b }\n')[0]).toMatchObject({
      message: 'the key "model" is already on line 2',
      place: { line: 3, column: 1 },
    });
  });

  it('reads neither merge keys nor __proto__', () => {
    const problems = problemsOf('version: 1\n<<: { data: 1 }\n__proto__: { data: 1 }\n');
    expect(problems.map(({ code, place }) => [code, place?.line])).toEqual([
      ['unknown-key', 2],
      ['unknown-key', 3],
    ]);
  });

  it('refuses a bomb of aliases before it goes off', () => {
    const levels = Array.from({ length: 40 }, (_, level) =>
      level === 0
        ? 'a0: &a0 [lol, lol, lol, lol]'
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(', ')}]`,
    );
    expect(problemsOf(levels.join('\n')).map(({ code }) => code)).toEqual(['too-many-aliases']);
  });

  it('refuses ten thousand checks with one error', () => {
    const text = withChecks(...Array.from({ length: 10_000 }, (_, index) => `not_nul: { columns: [c${index}] }`));
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({
        code: 'too-many-checks',
        found: '10000',
        expected: 'at most 1000',
        place: expect.objectContaining({ line: 2 }),
      }),
    ]);
  });

  it('accepts a thousand checks', () => {
    const text = withChecks(...Array.from({ length: 1000 }, (_, index) => `not_null: { columns: [c${index}] }`));
    expect(parsePolicy(text, 'p').policy.data?.[0]?.checks).toHaveLength(1000);
  });

  it('refuses a file too large, without reading it', () => {
    expect(problemsOf('#'.repeat(maximumPolicyBytes + 1)).map(({ code }) => code)).toEqual(['policy-too-large']);
  });

  it('names the line of the first byte that is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('version: 1\nname: caf'), Buffer.from([0xe9, 0x0a])]);
    expect(problemsOf(bytes)).toEqual([
      expect.objectContaining({ code: 'policy-not-utf8', place: { file: 'sluice.yaml', line: 2 } }),
    ]);
  });

  it('recognises UTF-16', () => {
    expect(problemsOf(Buffer.from('\ufeffversion: 1\n', 'utf16le'))[0]).toMatchObject({
      found: 'UTF-16',
      fix: 'Save it as UTF-8.',
    });
  });

  it('reads a file that begins with a byte order mark and has Windows line ends', () => {
    const text = `\ufeff${withChecks('unique: { columns: [id] }').replaceAll('\n', '\r\n')}`;
    expect(parsePolicy(Buffer.from(text), 'p').placeOf(['data'])).toMatchObject({ line: 2, column: 1 });
    expect(parsePolicy(text, 'p').policy.version).toBe(1);
  });

  it('shows no control character of the file', () => {
    const message = errorOf('version: 1\n"\\e[31m::error::": 1\n"a\\nb": "c\\nd"\nevidence: "\\e[0m"\n').message;
    expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(message.split('\n')).toHaveLength(4);
  });

  it('never throws anything but a PolicyError, whatever the text, and each problem has a line and a fix', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), scribble), (text) => {
        const problems = problemsOf(text);
        expect(problems.length).toBeGreaterThan(0);
        for (const problem of problems) expect(problem).toEqual(mendable);
      }),
      { numRuns: 500 },
    );
  });

  it('says of each problem of a damaged policy what, where and how to mend it', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(damagedPolicy, damagedPolicy, (one, other) => {
        // Two policies in one, so that several problems meet.
        const text = stringify({ ...Object(other), ...Object(one) });
        for (const problem of refusalOf(text)?.problems ?? []) {
          expect(problem).toEqual(mendable);
          seen.add(problem.code);
        }
      }),
      { numRuns: 1000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining(['unknown-key', 'missing-key', 'wrong-type', 'wrong-value']));
  });
});

describe('hints', () => {
  it.each([
    ['a misspelt gate', withGates('acuracy: { min: 0.9 }'), 'Did you mean "accuracy"?'],
    ['a gate in capitals', withGates('ROC-AUC: { min: 0.9 }'), 'Did you mean "roc_auc"?'],
    ["scikit-learn's name", withGates('f1_score: { min: 0.9 }'), 'Did you mean "f1"?'],
    [
      "Great Expectations' name",
      withChecks('expect_column_values_to_be_unique: { column: a }'),
      'Did you mean "unique"?',
    ],
    [
      'a key at the wrong level',
      `${withChecks('unique: { columns: [id] }')}min_rows: 3\n`,
      '"min_rows" belongs in evaluation, drift, evaluation.weak_slices, ....',
    ],
    ['a top-level key below', withGates('evidence: 0.9\nsize: { max_mb: 1 }'), '"evidence" belongs in the top level.'],
    [
      'a check that is no gate',
      withGates('row_count: { min: 1 }\nsize: { max_mb: 1 }'),
      '"row_count" belongs in data[].checks[].',
    ],
    [
      'a bound without its metric',
      withGates('min: 0.9'),
      '"min" belongs in gates.accuracy, gates.balanced_accuracy, gates.precision, ....',
    ],
    ['a number in quotes', withGates('accuracy: { min: "0.9" }'), 'Remove the quotes: 0.9.'],
    ['a decimal comma', withGates('accuracy: { min: "0,9" }'), 'Write 0.9.'],
    ['a percentage', withGates('accuracy: { min: 90% }'), 'Write 0.9.'],
    ['a percentage as a number', withGates('accuracy: { min: 90 }'), 'Write 0.9 for 90 %.'],
    ['thousands', withChecks('row_count: { min: "10,000" }'), 'Write 10000.'],
    ['a share over one', withChecks('duplicate_rows: { max_share: 5 }'), 'Write 0.05 for 5 %.'],
    ['a bare bound', withGates('accuracy: 0.9'), 'Write "accuracy: { min: 0.9 }".'],
    ['a bare bound of an error metric', withGates('rmse: 3'), 'Write "rmse: { max: 3 }".'],
    ['a bare share', withChecks('duplicate_rows: 0.1'), 'Write "duplicate_rows: { max_share: 0.1 }".'],
    ['a bare check', withChecks('not_null'), 'Write "- not_null: { columns: ... }".'],
    ['a bare path', 'version: 1\nmodel: a.onnx\ngates: { size: { max_mb: 1 } }\n', 'Write { path: a.onnx }.'],
    ['one column instead of a list', withChecks('unique: { columns: id }'), 'Write a list: [id].'],
    ['a number instead of a name', withChecks('between: { column: 1, min: 1 }'), 'Put it in quotes: "1".'],
    ['an empty value', withGates('accuracy: { min: }'), 'Write a value after "min:", or remove the key.'],
    ['an empty list entry', withChecks(''), 'Remove the empty entry.'],
    [
      'a mapping instead of a list',
      'version: 1\ndata: { source: a.csv, checks: [] }\n',
      'Start each entry of the list with "- ".',
    ],
    ['a share where a percentage is read', withGates('latency: { max_regression: 0.1 }'), 'Write 10%.'],
    ['a longer word', withGates('accuracy: { minimum: 0.9 }'), 'Did you mean "min"?'],
    ['a wrong choice', withGates('accuracy: { min: 0.9, severity: warning }'), 'Did you mean "warn"?'],
    [
      'a misspelt key of a champion',
      'version: 1\nmodel: { path: a.onnx, baseline: { champion: { mlflow: a, allias: b } } }\ngates: { size: { max_mb: 1 } }\n',
      'Did you mean "alias"?',
    ],
    [
      'an address that is none',
      'version: 1\nmodel: { path: a.onnx, baseline: { champion: { mlflow: a, alias: b, tracking_uri: mlruns } } }\ngates: { size: { max_mb: 1 } }\n',
      'Write an address with http:// or https:// there.',
    ],
    [
      'a wrong choice among other types',
      'version: 1\nmodel: { path: a.onnx, baseline: bas }\ngates: { size: { max_mb: 1 } }\n',
      'Did you mean "base"?',
    ],
  ])('help with %s', (_what, text, fix) => {
    expect(problemsOf(text).map((problem) => problem.fix)).toContain(fix);
  });

  it.each([
    ['columns of a check', withChecks('not_null: { columns: 3 }'), '"all" or a list of column names'],
    ['evidence', `${withChecks('unique: { columns: [id] }')}evidence: [1]\n`, '"off" or a number over 0.5 and under 1'],
    [
      'evidence out of range',
      `${withChecks('unique: { columns: [id] }')}evidence: 0.3\n`,
      '"off" or a number over 0.5 and under 1',
    ],
    ['a change', withGates('accuracy: { max_regression: [1] }'), 'a number, or a percentage such as "5%"'],
    ['a change in words', withGates('accuracy: { max_regression: little }'), 'a number, or a percentage such as "5%"'],
    ['a negative change', withGates('accuracy: { max_regression: -0.1 }'), 'at least 0'],
    ["latency's change", withGates('latency: { max_regression: 0.1 }'), 'a percentage such as "5%"'],
    [
      'a baseline',
      'version: 1\nmodel: { path: a.onnx, baseline: 3 }\ngates: { size: { max_mb: 1 } }\n',
      '"base", "none", { path: file } or { champion: ... }',
    ],
    ['a group', withGates('fairness: { group: 3, accuracy_ratio: { min: 0.8 } }'), 'a column name, or a list of them'],
    [
      'a date',
      `${withChecks('unique: { columns: [id] }')}waivers: [{ check: a, reason: b, expires: 2027-02-30 }]\n`,
      'a date of the calendar such as 2027-01-31',
    ],
    ['a value of a list', withChecks('accepted_values: { column: a, values: [[1]] }'), 'text, a number, true or false'],
    ['milliseconds', withGates('latency: { p95_ms: 0 }'), 'more than 0 milliseconds'],
    ['not a number', withGates('accuracy: { min: .nan }'), 'a number'],
    ['an infinite number', withGates('mae: { max: .inf }'), 'a number'],
    ['half a row', withChecks('row_count: { min: 1.5 }'), 'a whole number'],
    ['an empty name', withChecks('between: { column: "", min: 1 }'), 'some text'],
    ['an empty list', withChecks('unique: { columns: [] }'), 'a list of at least 1'],
    ['an empty mapping', withChecks('schema: { types: {} }'), 'at least one "name: value"'],
  ])('say in words what is expected of %s', (_what, text, expected) => {
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.expected)).toEqual([expected]);
  });

  it('say of a misspelt key only that it is misspelt, not that the right one is missing', () => {
    expect(problemsOf(withGates('accuracy: { min: 0.9 }').replace('target', 'taget')).map(({ code }) => code)).toEqual([
      'unknown-key',
    ]);
    expect(problemsOf(withGates('accuracy: { mn: 0.9 }')).map(({ code }) => code)).toEqual(['unknown-key']);
    expect(
      problemsOf(withGates('accuracy: { min: 0.9 }').replace('evaluation', 'evalution')).map(({ code }) => code),
    ).toEqual(['unknown-key']);
  });

  it('go to the member of a union that was meant', () => {
    expect(problemsOf(withChecks('not_null: { columns: [age, 3] }'))).toEqual([
      expect.objectContaining({
        place: expect.objectContaining({ key: 'data[0].checks[0].not_null.columns[1]' }),
        expected: 'text',
      }),
    ]);
  });
});
