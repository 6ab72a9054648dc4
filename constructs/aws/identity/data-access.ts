import { Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { type AthenaResources, type ObjectsBelow, objectStatements } from '../../../core/aws-permissions/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';
import { nameProblems } from './canary-access.ts';
import { grantStatements } from './granted-statements.ts';

/** Objects of a bucket below a prefix. */
export interface DataPlace {
  /** Of the CDK, or `models.bucket`. Where it has a key, that is granted too. */
  readonly bucket: { readonly bucketArn: string; readonly encryptionKey?: IKey };
  /** `lake/customers/`: with the slash, so that `lake/customers-old/` is not meant. */
  readonly prefix: string;
}

/** What a policy's `engines.athena` may ask, and where. The catalog is Glue's of the role's account and region. */
export interface AthenaAccess {
  /** @default 'primary', as of Athena itself */
  readonly workgroup?: string;
  /** Of each database its tables: `{ sales: ['orders', 'customers'] }`. */
  readonly tables: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Where the tables' files lie. */
  readonly data: readonly [DataPlace, ...DataPlace[]];
  /** Where Athena writes its answers: the workgroup's place, or the policy's `output`. */
  readonly results: DataPlace;
}

function objectsOf({ bucket, prefix }: DataPlace): ObjectsBelow {
  return { bucketArn: bucket.bucketArn, prefix };
}

/** Lets `grantee` read and list the objects of a place, with their key. */
export function grantObjects(grantee: IGrantable, place: DataPlace): Grant {
  return grantStatements(grantee, objectStatements(objectsOf(place))).combine(grantKey(grantee, place, 'kms:Decrypt'));
}

/** Lets `grantee` use the key of a bucket that has one. */
export function grantKey(grantee: IGrantable, { bucket }: DataPlace, ...actions: readonly string[]): Grant {
  return bucket.encryptionKey?.grant(grantee, ...actions) ?? Grant.drop(grantee, 'the bucket has no key of its own');
}

export function athenaResources(scope: Construct, access: AthenaAccess): AthenaResources {
  const { partition, region, account } = Stack.of(scope);
  const arn = (service: string, rest: string): string => `arn:${partition}:${service}:${region}:${account}:${rest}`;
  const databases = Object.keys(access.tables);
  return {
    workgroupArn: arn('athena', `workgroup/${access.workgroup ?? 'primary'}`),
    catalogArn: arn('glue', 'catalog'),
    // Athena looks into "default" whatever is asked ("Configure access to databases and tables in the AWS Glue Data Catalog").
    databaseArns: [...new Set(['default', ...databases])].map((name) => arn('glue', `database/${name}`)),
    tableArns: databases.flatMap((name) =>
      (access.tables[name] ?? []).map((table) => arn('glue', `table/${name}/${table}`)),
    ),
    data: access.data.map(objectsOf),
    results: objectsOf(access.results),
  };
}

/** A prefix that is none lets the role read a whole bucket, or nothing. */
export function placeProblems(prop: string, { prefix }: Pick<DataPlace, 'prefix'>): readonly ConstructProblem[] {
  if (/^[^/*?\s][^*?\s]*\/$/.test(prefix)) return [];
  return [
    {
      code: 'bad-prefix',
      message: `${prop} is not what keys below one folder begin with`,
      found: prefix,
      expected: 'folder/ or folder/deeper/, without a pattern',
      fix: 'End it with a slash, and begin it without one.',
    },
  ];
}

export function athenaProblems(access: AthenaAccess): readonly ConstructProblem[] {
  const problems = [
    ...access.data.flatMap((place, index) => placeProblems(`data[${index}].prefix`, place)),
    ...placeProblems('results.prefix', access.results),
    ...nameProblems('workgroup', access.workgroup, /^[\w.-]{1,128}$/, 'letters, digits and ._-'),
  ];
  const tables = Object.entries(access.tables);
  for (const [database, names] of tables) {
    for (const name of [database, ...names])
      problems.push(...nameProblems('tables', name, /^\w+$/, 'letters, digits and _'));
  }
  if (tables.length > 0) return problems;
  return [
    ...problems,
    {
      code: 'no-tables',
      message: 'tables is empty, so that nothing could be asked',
      fix: "Name each database with its tables: { sales: ['orders'] }.",
    },
  ];
}
