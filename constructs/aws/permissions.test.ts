/**
 * Least privilege: everything that the policies of the gallery allow is in `golden/permissions`, to be read line by line when it changes
 * (`UPDATE_GOLDEN=1 npx vitest run constructs/aws` writes it), and what is wider than one action on one thing is explained.
 */
import { describe, expect, test } from 'vitest';
import {
  byPattern,
  type ExplainedPermission,
  onEverything,
  type SilentService,
  silentServices,
} from './fixtures/explained-permissions.ts';
import { rooms } from './fixtures/gallery/index.ts';
import { golden, goldenFiles } from './fixtures/golden.ts';
import { lineOf, linesOf, type Permission, permissionsOf } from './fixtures/permissions.ts';

const byRoom = Object.entries(rooms).map(([room, gallery]) => ({
  room,
  entries: Object.entries(gallery).map(([name, build]) => ({ name, permissions: permissionsOf(build) })),
}));
const allowed = byRoom
  .flatMap(({ entries }) => entries)
  .flatMap(({ name, permissions }) => permissions.statements.map((one) => ({ ...one, at: `${name}: ${one.at}` })))
  .filter(({ effect }) => effect === 'Allow');

const lines = (permissions: readonly Permission[]): readonly string[] => permissions.map(lineOf);

describe('what policies allow', () => {
  test.each(byRoom)('in $room is as committed', ({ room, entries }) => {
    const text = entries
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(
        ({ name, permissions }) =>
          `${name}\n${linesOf(permissions)
            .map((line) => `  ${line}\n`)
            .join('')}`,
      )
      .join('\n');
    expect(text).toBe(golden(`permissions/${room}.txt`, text));
  });

  test('is committed of these rooms and no others', () => {
    const files = goldenFiles().filter((file) => file.startsWith('permissions'));
    expect(files).toEqual(
      Object.keys(rooms)
        .map((room) => `permissions/${room}.txt`)
        .toSorted(),
    );
  });

  test('is not everything but something', () => {
    expect(lines(allowed.filter(({ inverted }) => inverted.length > 0))).toEqual([]);
  });

  test('is for nobody in particular only under a condition', () => {
    const anybody = ({ principals }: Permission) => principals.some((who) => /^(?:AWS )?\*$/.test(who));
    expect(lines(allowed.filter((one) => anybody(one) && one.conditions.length === 0))).toEqual([]);
  });

  test('is named action by action, but for patterns that are explained', () => {
    expect(unexplained((action) => /[*?]/.test(action), byPattern)).toEqual([]);
  });

  test('is on named things, but for actions on everything that are explained', () => {
    // In a key's policy the asterisk is the key.
    const everywhere = allowed.filter(({ at, resources }) => !/ KeyPolicy$/.test(at) && resources.includes('*'));
    expect(unexplained(() => true, onEverything, everywhere)).toEqual([]);
    expect(stale(onEverything, everywhere)).toEqual([]);
  });

  test.each(byPattern)('needs the pattern $actions', (explained) => expect(stale([explained], allowed)).toEqual([]));

  test('hands on a role only to a named service', () => {
    const passing = allowed.filter(({ actions }) => actions.includes('iam:PassRole'));
    const named = ({ conditions }: Permission) =>
      conditions.some(
        ({ operator, key, values }) =>
          key === 'iam:PassedToService' &&
          /^StringEquals(?:IfExists)?$/.test(operator) &&
          values.every((service) => /^[a-z0-9.-]+\.amazonaws\.com$|\$\{AWS::URLSuffix\}$/.test(service)),
      );
    expect(lines(passing.filter((one) => !named(one)))).toEqual([]);
  });

  test('is for a service on behalf of this account alone, where the service says whose behalf it is', () => {
    const forServices = allowed.filter(({ principals }) => principals.some((who) => who.startsWith('Service ')));
    expect(
      lines(forServices.filter((one) => !bounded(one) && !silentServices.some((each) => silent(each, one)))),
    ).toEqual([]);
  });

  test.each(silentServices)('is for $service without a condition', (service) => {
    expect(allowed.some((one) => !bounded(one) && silent(service, one))).toBe(true);
  });

  test("is for a token of another's only with its audience and its subject compared for equality", () => {
    const federated = allowed.filter(({ principals }) => principals.some((who) => who.startsWith('Federated ')));
    const exact = ({ conditions }: Permission) =>
      [':aud', ':sub'].every((end) =>
        conditions.some(
          ({ operator, key, values }) =>
            operator === 'StringEquals' && key.endsWith(end) && values.every((value) => !/[*?]/.test(value)),
        ),
      );
    expect(federated.length).toBeGreaterThan(0);
    expect(lines(federated.filter((one) => !exact(one)))).toEqual([]);
  });
});

function covers({ actions, where }: ExplainedPermission, action: string, permission: Permission): boolean {
  return actions.includes(action) && (where === undefined || where.test(lineOf(permission)));
}

/** `action: line` of what is so wide and no explanation is for. */
function unexplained(
  wide: (action: string) => boolean,
  explained: readonly ExplainedPermission[],
  permissions: readonly Permission[] = allowed,
): readonly string[] {
  return permissions.flatMap((permission) =>
    permission.actions
      .filter((action) => wide(action) && !explained.some((each) => covers(each, action, permission)))
      .map((action) => `${action} in ${lineOf(permission)}`),
  );
}

/** Actions that are explained and that nothing is allowed any more. */
function stale(explained: readonly ExplainedPermission[], permissions: readonly Permission[]): readonly string[] {
  return explained.flatMap((each) =>
    each.actions.filter(
      (action) => !permissions.some((one) => one.actions.includes(action) && covers(each, action, one)),
    ),
  );
}

function bounded({ conditions }: Permission): boolean {
  return conditions.some(({ key }) => /^aws:Source(?:Account|Arn|OrgID|OrgPaths)$/i.test(key));
}

function silent({ service, where }: SilentService, permission: Permission): boolean {
  return (
    permission.principals.includes(`Service ${service}`) && (where === undefined || where.test(lineOf(permission)))
  );
}
