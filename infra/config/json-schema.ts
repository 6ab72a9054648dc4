import { z } from 'zod';
import { infraSchema } from './schema.ts';

/** The text of `infra.schema.json`: for editors (`# yaml-language-server: $schema=...`). What it refuses, `parseConfig` refuses. */
export function infraJsonSchemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(infraSchema, { target: 'draft-2020-12', io: 'input' });
  const schema = {
    $schema,
    $id: 'urn:sluice:infra:1',
    title: 'Sluice infrastructure',
    description: 'sluice-infra.yaml: which accounts there are, and what stands in each.',
    ...rest,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
