import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesUnder, type Import, importsOf, root } from './source-files.ts';

/** ARCHITECTURE.md, "Arrows": what each room may import from. A room that is not here yet gets its line with its first file. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'core/text': [],
  'core/statistics': [],
  'core/telemetry': [],
  'core/aws-permissions': [],
  'core/problem': ['core/text'],
  'core/host': ['core/problem'],
  'core/metrics': ['core/statistics'],
  'core/report': ['core/statistics', 'core/problem', 'core/text'],
  'core/policy': ['core/problem', 'core/text'],
  'core/native': ['core/problem', 'core/host'],
  'core/http': ['core/native', 'core/problem', 'core/text'],
  'core/mlflow': ['core/http', 'core/problem', 'core/text'],
  'core/s3': ['core/http', 'core/problem', 'core/report', 'core/text'],
  'core/data': ['core/native', 'core/problem', 'core/s3', 'core/text', 'core/host'],
  'core/drift': [
    'core/data',
    'core/host',
    'core/policy',
    'core/problem',
    'core/report',
    'core/statistics',
    'core/text',
  ],
  'core/engines': ['core/data', 'core/http', 'core/problem', 'core/text'],
  'core/onnx': ['core/native', 'core/problem', 'core/text', 'core/host', 'core/statistics'],
  'core/evaluation': ['core/data', 'core/onnx', 'core/policy', 'core/problem', 'core/text'],
  'core/inference': ['core/onnx', 'core/problem', 'core/text'],
  github: ['core/*'],
  server: ['core/*'],
  smoke: ['core/*'],
  rollout: ['core/*'],
  'constructs/dashboards': ['core/*'],
  'constructs/problem': ['core/*'],
  'constructs/aws': ['core/*', 'constructs/dashboards', 'constructs/problem'],
  infra: ['core/*', 'constructs/aws', 'constructs/dashboards', 'constructs/problem'],
  'constructs/kubernetes': ['core/*', 'constructs/dashboards', 'constructs/problem'],
  'actions/validate-data': ['core/*', 'github'],
  'actions/quality-gate': ['core/*', 'github', 'smoke'],
  'actions/detect-drift': ['core/*', 'github'],
  'actions/pull-request-gate': [
    'core/*',
    'github',
    'actions/validate-data',
    'actions/quality-gate',
    'actions/detect-drift',
  ],
  'actions/publish-report': ['core/*', 'github'],
  'actions/smoke-test': ['core/*', 'github', 'smoke'],
  'actions/canary': ['core/*', 'github', 'rollout'],
  cli: ['core/*', 'github', 'actions/*', 'server', 'rollout'],
};

/** Arrows that types may take and code may not. */
const arrowsOfTypes: Readonly<Record<string, readonly string[]>> = {
  'core/policy': ['core/report'],
};

/** May import anything; nothing imports them. */
const outside = ['bench', 'build', 'examples', 'testbed'];

/** Packages only these rooms may load. */
const packages: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@actions\/|^@octokit\//, rooms: ['github'] },
  { name: /^@grpc\//, rooms: ['server', 'smoke'] },
  { name: /^fastify$|^prom-client$/, rooms: ['server'] },
  { name: /^constructs$/, rooms: ['constructs/kubernetes', 'constructs/aws', 'constructs/problem', 'infra'] },
  { name: /^cdk8s/, rooms: ['constructs/kubernetes'] },
  { name: /^aws-cdk-lib|^cdk-nag/, rooms: ['constructs/aws', 'infra'] },
  { name: /^onnxruntime-(node|web|common)|^@duckdb\//, rooms: ['core/native'] },
];

/** Rooms are the folders in these. */
const nested = new Set(['core', 'actions', 'constructs']);

/** `core/policy/schema.ts` is in `core/policy`; a file at the root is in no room. */
function roomOf(path: string): string | undefined {
  const [first = '', second = '', ...rest] = path.split('/');
  if (second === '') return undefined;
  return nested.has(first) && rest.length > 0 ? `${first}/${second}` : first;
}

const sources = filesUnder().filter((path) => path.endsWith('.ts'));
const rooms = [...new Set(sources.map(roomOf))].filter((room) => room !== undefined);
const judged = sources.filter((path) => !outside.includes(roomOf(path) ?? 'build'));

interface Arrow extends Import {
  readonly target: string;
  readonly fromRoom: string;
  readonly toRoom: string;
}

const crossing: readonly Arrow[] = judged.flatMap(importsOf).flatMap((found) => {
  if (!found.specifier.startsWith('.')) return [];
  const target = normalize(join(dirname(found.from), found.specifier));
  const [fromRoom, toRoom] = [roomOf(found.from), roomOf(target)];
  return fromRoom === undefined || toRoom === undefined || fromRoom === toRoom
    ? []
    : [{ ...found, target, fromRoom, toRoom }];
});

function allows(rules: readonly string[] | undefined, room: string): boolean {
  return rules?.some((rule) => rule === room || (rule.endsWith('/*') && room.startsWith(rule.slice(0, -1)))) ?? false;
}

const ofTests = /\.test\.ts$|\/fixtures\//;

function written(arrow: Import): string {
  return `${arrow.from} imports ${arrow.specifier}`;
}

describe('the arrows between rooms', () => {
  test('every room has a line in the table of arrows, and every line a room', () => {
    expect(rooms.filter((room) => !outside.includes(room) && room !== 'core').toSorted()).toEqual(
      Object.keys(arrows).toSorted(),
    );
  });

  test('a room imports only the rooms its line names', () => {
    const wrong = crossing.filter(
      ({ fromRoom, toRoom, typeOnly }) =>
        // core/index.ts gathers what core offers.
        !(fromRoom === 'core' && toRoom.startsWith('core/')) &&
        !allows(arrows[fromRoom], toRoom) &&
        !(typeOnly && allows(arrowsOfTypes[fromRoom], toRoom)),
    );
    expect(wrong.map(written)).toEqual([]);
  });

  test('a room is entered through its index.ts, an action through its run.ts', () => {
    const wrong = crossing.filter(
      ({ from, target, toRoom }) =>
        target !== `${toRoom}/${toRoom.startsWith('actions/') ? 'run' : 'index'}.ts` &&
        // What tests answer in a peer's place, and the tests of one room that another one must pass too, are in no index, or every command would carry them.
        !(ofTests.test(from) && [`${toRoom}/stand-ins.ts`, `${toRoom}/conformance.ts`].includes(target)),
    );
    expect(wrong.map(written)).toEqual([]);
  });

  test('GitHub and the native engines are each loaded by one room', () => {
    const wrong = judged
      .flatMap(importsOf)
      .filter(({ from, specifier, typeOnly }) =>
        packages.some(
          ({ name, rooms: allowed }) => name.test(specifier) && !typeOnly && !allowed.includes(roomOf(from) ?? ''),
        ),
      )
      // An action's entries read its inputs.
      .filter(
        ({ from, specifier }) => !(specifier === '@actions/core' && /^actions\/[^/]+\/(index|post)\.ts$/.test(from)),
      );
    expect(wrong.map(written)).toEqual([]);
  });

  test('every relative import names a file that is there, with its .ts', () => {
    const wrong = judged.flatMap(importsOf).filter(({ from, specifier }) => {
      if (!specifier.startsWith('.')) return false;
      return !/\.(ts|json)$/.test(specifier) || !existsSync(join(root, dirname(from), specifier));
    });
    expect(wrong.map(written)).toEqual([]);
  });

  test.each(Object.keys(arrows))('%s has an index.ts', (room) => {
    expect(sources).toContain(`${room}/index.ts`);
  });

  test.each(Object.keys(arrows).filter((room) => room.startsWith('actions/')))(
    '%s has its action.yml, its story and its README',
    (room) => {
      // The root action is the pull-request gate.
      const definition = room === 'actions/pull-request-gate' ? 'action.yml' : `${room}/action.yml`;
      for (const path of [definition, `${room}/run.ts`, `${room}/README.md`]) {
        expect(existsSync(join(root, path)), path).toBe(true);
      }
    },
  );
});
