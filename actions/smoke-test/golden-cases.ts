import { resolve } from 'node:path';
import { openEngine, readColumns } from '../../core/data/index.ts';
import {
  type FilledFeeding,
  feedingsOf,
  feedsOf,
  fixedBatch,
  requireFeedable,
  textColumns,
} from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import { policyDefaults } from '../../core/policy/index.ts';
import { DataError } from '../../core/problem/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import { repositoryRoot } from '../../github/index.ts';
import { casesOfFile, type GoldenCases, type LocalModel, spread } from '../../smoke/index.ts';
import type { SmokeGate } from './smoke-gate.ts';

interface Options {
  readonly gate: SmokeGate;
  readonly local: LocalModel;
  /** As messages call the model file. */
  readonly path: string;
  readonly host: Host;
}

/** Golden inputs that the policy has in a file; `undefined`: they are made up. Throws a `SluiceError` where file and model do not fit. */
export async function goldenCasesOf(options: Options): Promise<GoldenCases | undefined> {
  const { gate, local, host } = options;
  const { golden } = gate.smoke;
  if (golden === undefined || golden === false) return undefined;
  const { feeds, source, rows } = golden;
  if (feeds !== undefined) {
    const place = gate.policy.placeOf(['smoke', 'golden', 'feeds']);
    return casesOfFile(resolve(gate.directory, feeds), feeds, local.model.inputs, place);
  }
  if (source === undefined) return undefined;
  return await host.group('Read the golden rows', () => rowsOf(source, rows ?? policyDefaults.smoke.rows, options));
}

/** Rows of a table, wired to the inputs as the quality gate wires them: each a case of its own. */
async function rowsOf(source: string, wanted: number, { gate, local, path, host }: Options): Promise<GoldenCases> {
  const { policy, directory } = gate;
  const { evaluation, model: modelPolicy } = policy.policy;
  const place = policy.placeOf(['smoke', 'golden', 'source']);
  const root = repositoryRoot(directory);
  await using engine = await openEngine({ host, directories: [root] });
  const table = await engine.open(resolve(directory, source), {
    place,
    name: source,
    within: root,
    text: textColumns(local.model, modelPolicy ?? { path }),
  });
  if (table.rows === 0) {
    throw new DataError({
      code: 'no-rows',
      message: `${excerpt(source)} has no rows`,
      place,
      fix: 'Name a file with rows the model is to be asked about.',
    });
  }
  const named = { model: path, place };
  const feedings = feedingsOf(local.model.inputs, table, {
    ...named,
    evaluation: { ...featuresOf(evaluation), source },
    ...(modelPolicy?.inputs === undefined ? {} : { inputs: modelPolicy.inputs }),
  });
  await requireFeedable(engine, table, feedings, named);
  const columns = await readColumns(
    engine,
    table,
    feedings.flatMap((feeding) => feeding.columns),
  );
  const filled: readonly FilledFeeding[] = feedings.map((feeding) => ({
    ...feeding,
    values: feeding.columns.map((name) => {
      const values = columns.get(name);
      if (values === undefined) throw new TypeError(`column ${name} was not read`);
      return values;
    }),
  }));
  const batch = fixedBatch(filled, named);
  const cases = spread(table.rows, wanted).map((row) => ({
    row: row + 1,
    feeds: feedsOf(filled, row, row + 1, batch),
  }));
  return {
    cases,
    origin: `${cases.length} of the ${counted(table.rows, 'row')} of ${excerpt(source)}`,
    source: { path: source, sha256: table.sha256, rows: table.rows },
  };
}

/** What `evaluation` says of columns holds for golden rows too: the target and what it ignores are no features. */
function featuresOf(evaluation: SmokeGate['policy']['policy']['evaluation']) {
  if (evaluation === undefined) return {};
  const { target, features, ignore } = evaluation;
  return {
    target,
    ...(features === undefined ? {} : { features }),
    ...(ignore === undefined ? {} : { ignore }),
  };
}
