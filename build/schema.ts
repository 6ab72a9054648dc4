import { writeFile } from 'node:fs/promises';
import { policyJsonSchemaText } from '../core/policy/index.ts';

// Writes the JSON Schema that editors read. A test says when this has been forgotten.
await writeFile(new URL('../core/policy/policy.schema.json', import.meta.url), policyJsonSchemaText());
