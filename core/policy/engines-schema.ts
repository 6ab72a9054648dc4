import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { duration, path } from './schema-words.ts';

// What is said of engines that keep tables elsewhere. No secret has a place here: those come from the environment of the job.

const { engines: defaults } = policyDefaults;

const nameWords = 'a name of letters, digits, "_", "$" and "-"';
const part = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_$-]{0,254}$/, { error: nameWords });
const within = duration.optional().meta({
  description: 'How long a statement may take before it is cancelled.',
  default: defaults.within,
});

export const engineNames = ['trino', 'athena'] as const;
export type EngineName = (typeof engineNames)[number];

const tableWords = 'a table such as hive.sales.orders, its parts of letters, digits, "_", "$" and "-"';

/** A table that an engine keeps. */
const tableSource = z
  .strictObject({
    table: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_$-]*(\.[A-Za-z0-9_][A-Za-z0-9_$-]*){0,2}$/, { error: tableWords })
      .describe("catalog.schema.table; what is left out is the engine's own."),
    engine: z.enum(engineNames).describe('Who keeps it: one of "engines".'),
  })
  .meta({ id: 'tableSource', description: 'A table that an engine of "engines" keeps.' });

/** Where rows come from: a file, or a table. */
export const sourceSchema = z
  .union([path, tableSource], { error: 'a file, or { table: name, engine: trino }' })
  .describe('A file, or a table of an engine.');
export type SourceOfRows = z.infer<typeof sourceSchema>;

const trino = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s@?#]*)?$/, {
        error: 'an address such as https://trino.example.com, without a user or a password',
      })
      .describe('The coordinator, or the gateway in front of it.'),
    user: z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, { error: 'a name without spaces' })
      .optional()
      .meta({
        description: 'Who asks. Its password is TRINO_PASSWORD, its token TRINO_ACCESS_TOKEN.',
        default: defaults.user,
      }),
    catalog: part.optional().describe('The catalog of tables that are named without one.'),
    schema: part.optional().describe('The schema of tables that are named without one.'),
    session: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/, { error: 'the name of a session property' }),
        z.string().regex(/^[\x20-\x7e]{1,1000}$/, { error: 'text in quotes' }),
      )
      .optional()
      .describe("Session properties: { query_max_run_time: '10m' }."),
    within,
  })
  .describe('A Trino server.');

const athena = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'a region such as eu-central-1' })
      .describe('The region of AWS.'),
    workgroup: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,128}$/, { error: 'the name of a workgroup' })
      .optional()
      .describe("The workgroup; AWS's primary one when not given."),
    catalog: part.optional().meta({ description: 'The data catalog.', default: 'AwsDataCatalog' }),
    database: part.optional().describe('The database of tables that are named without one.'),
    output: z
      .string()
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\x21-\x7e]*)?$/, {
        error: 'a place such as s3://bucket/prefix/',
      })
      .optional()
      .describe("Where Athena writes its answers; the workgroup's own place when not given."),
    max_scanned_gb: z
      .number()
      .positive({ error: 'more than 0 gigabytes' })
      .describe('Gigabytes (10^9 bytes) that all statements of a run together may scan; beyond it they are stopped.'),
    within,
  })
  .describe("Amazon Athena, engine version 3. Credentials are the job's.");

/** The policy's key `engines`. */
export const enginesSchema = z.strictObject({ trino: trino.optional(), athena: athena.optional() }).meta({
  description:
    "Engines that keep tables elsewhere. A pull request's own take effect with its merge: it must not choose whom the job's credentials go to.",
  anyOf: engineNames.map((name) => ({ required: [name] })),
});

export type Engines = z.infer<typeof enginesSchema>;
