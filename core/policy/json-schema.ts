import * as z from 'zod';
import { policySchema } from './schema.ts';

/**
 * The policy as JSON Schema 2020-12, for editors (`# yaml-language-server: $schema=...`) and other programs. What it rejects,
 * `parsePolicy` rejects; `parsePolicy` also rejects contradictions that JSON Schema cannot say (a `min` above its `max`).
 */
export function policyJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(policySchema, { target: 'draft-2020-12', io: 'input' });
  return {
    $schema,
    $id: 'urn:sluice:policy:1',
    title: 'Sluice policy',
    description: 'sluice.yaml: what data and a model must hold before the model may be released.',
    ...rest,
  };
}

/** The text of `policy.schema.json`. */
export function policyJsonSchemaText(): string {
  return `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;
}
