import { writeFile } from 'node:fs/promises';
import { policyJsonSchemaText } from '../core/policy/index.ts';
import { infraJsonSchemaText } from '../infra/index.ts';

// Writes the JSON Schemas that editors read. Tests say when this has been forgotten.
await writeFile(new URL('../core/policy/policy.schema.json', import.meta.url), policyJsonSchemaText());
await writeFile(new URL('../infra/infra.schema.json', import.meta.url), infraJsonSchemaText());
