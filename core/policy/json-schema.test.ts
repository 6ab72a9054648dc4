import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { policyDefaults } from './defaults.ts';
import { arbitraryPolicy } from './fixtures/arbitrary-policy.ts';
import { damagedPolicy } from './fixtures/damaged-policy.ts';
import { policyJsonSchema, policyJsonSchemaText } from './json-schema.ts';
import { parsePolicy } from './parse-policy.ts';
import { isMapping } from './policy-path.ts';
import { policySchema } from './schema.ts';

const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
addFormats.default(ajv);
const validate = ajv.compile(policyJsonSchema());

function accepts(document: unknown): boolean {
  try {
    parsePolicy(JSON.stringify(document), 'sluice.yaml');
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

describe('the JSON Schema', () => {
  it('is written to policy.schema.json (run `node build/schema.ts` when this fails)', () => {
    expect(readFileSync(new URL('policy.schema.json', import.meta.url), 'utf8')).toBe(policyJsonSchemaText());
  });

  it('names itself and its dialect, and states the defaults the code uses', () => {
    const schema = policyJsonSchema();
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:sluice:policy:1',
      properties: {
        evidence: { default: policyDefaults.evidence },
        on_inconclusive: { default: policyDefaults.on_inconclusive },
        model: { properties: { baseline: { default: policyDefaults.baseline } } },
        evaluation: { properties: { min_rows: { default: policyDefaults.min_rows } } },
      },
      $defs: { severity: { default: policyDefaults.severity }, mostly: { default: policyDefaults.mostly } },
    });
  });

  it("says of every file that its path counts from the policy's folder", () => {
    expect(policyJsonSchema()).toMatchObject({
      $defs: { path: { description: expect.stringContaining("relative to the policy file's folder") } },
    });
  });

  it('describes every key, so that an editor can show what it means', () => {
    const silent: string[] = [];
    const schema = policyJsonSchema();
    const definitions = isMapping(schema['$defs']) ? schema['$defs'] : {};
    const walk = (node: unknown, path: string): void => {
      if (!isMapping(node)) return;
      const properties = isMapping(node['properties']) ? node['properties'] : {};
      for (const [key, inner] of Object.entries(properties)) {
        const target = isMapping(inner) ? definitions[String(inner['$ref']).replace('#/$defs/', '')] : undefined;
        const described =
          isMapping(inner) && ('description' in inner || (isMapping(target) && 'description' in target));
        if (!described) silent.push(`${path}.${key}`);
        walk(inner, `${path}.${key}`);
      }
      walk(node['items'], `${path}[]`);
    };
    walk(schema, '');
    for (const [name, definition] of Object.entries(definitions)) walk(definition, name);
    // Three names of tensors, explained by the mapping that holds them.
    expect(silent.filter((key) => !key.startsWith('.model.outputs.'))).toEqual([]);
  });

  it('accepts every sound policy', () => {
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        expect(accepts(policy)).toBe(true);
        expect(validate(policy), JSON.stringify(validate.errors)).toBe(true);
      }),
    );
  });

  it('agrees with the strict reading on broken policies', () => {
    let refused = 0;
    fc.assert(
      fc.property(damagedPolicy, (broken) => {
        const bySchema = validate(broken);
        if (accepts(broken)) expect(bySchema, JSON.stringify(validate.errors)).toBe(true);
        else refused++;
        if (!policySchema.safeParse(broken).success) expect(bySchema).toBe(false);
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
