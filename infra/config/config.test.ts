import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { committedConfig, infra } from '../fixtures/synthesized-app.ts';
import { infraJsonSchemaText } from './json-schema.ts';
import { ConfigError, parseConfig, readConfig } from './parse-config.ts';

const sound = `version: 1
name: churn
repository: acme/churn
environments:
  staging:
    account: "111122223333"
    region: eu-central-1
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'sluice-infra.yaml');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

describe('the file of the infrastructure', () => {
  test('is read where it is sound', () => {
    expect(parseConfig(sound, 'sluice-infra.yaml')).toEqual({
      version: 1,
      name: 'churn',
      repository: 'acme/churn',
      environments: { staging: { account: '111122223333', region: 'eu-central-1' } },
    });
  });

  test.each([
    [
      'an unknown key, and the one that was meant',
      sound.replace('region:', 'regoin:'),
      ['sluice-infra.yaml:7:5 environments.staging.regoin: unknown key "regoin". Did you mean "region"?'],
    ],
    [
      'an account that YAML reads as a number',
      sound.replace('"111122223333"', '111122223333'),
      [
        'sluice-infra.yaml:6:14 environments.staging.account: wrong value: found 111122223333, expected an account: 12 digits, in quotes. Put it in quotes: "111122223333".',
      ],
    ],
    [
      'a key that belongs elsewhere',
      sound.replace('name: churn', 'name: churn\nregion: eu-central-1'),
      ['sluice-infra.yaml:3:1 region: unknown key "region". "region" belongs in environments.<name>.'],
    ],
    [
      'a missing environment',
      sound.slice(0, sound.indexOf('  staging')).replace('environments:', 'environments: {}'),
      [
        'sluice-infra.yaml:4:1 environments: wrong value: found a mapping, {}, expected at least one environment. Write at least one environment there.',
      ],
    ],
    [
      'a zone of another region',
      `${sound}    availability_zones: [eu-central-1a, eu-west-1b]\n`,
      [
        "sluice-infra.yaml:8:41 environments.staging.availability_zones[1]: the zone is not of the environment's region eu-central-1: found eu-west-1b. Name zones such as eu-central-1a.",
      ],
    ],
    [
      'an empty file',
      '',
      [
        'sluice-infra.yaml:1:1: the file is empty. Copy the one in infra/ and write your account, region and repository into it.',
      ],
    ],
  ])('is refused for %s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('is refused with every problem at once', () => {
    const broken = sound.replace('acme/churn', 'acme/*').replace('name: churn', 'name: Churn_Model');
    expect(problemsOf(broken).map((line) => line.split(' ')[1])).toEqual(['name:', 'repository:']);
  });

  test('that is not there says what to do', () => {
    expect(() => readConfig('/nowhere/sluice-infra.yaml')).toThrow(/cannot be read.*Copy the one in infra\//);
  });
});

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(JSON.parse(infraJsonSchemaText()));

  test('is written to infra.schema.json (run `node build/schema.ts` when this fails)', () => {
    expect(readFileSync(`${infra}/infra.schema.json`, 'utf8')).toBe(infraJsonSchemaText());
  });

  test('takes the committed file, and refuses what the strict reading refuses', () => {
    expect(validate(committedConfig()), JSON.stringify(validate.errors)).toBe(true);
    for (const broken of [
      sound.replace('region:', 'regoin:'),
      sound.replace('"111122223333"', '111122223333'),
      sound.replace('acme/churn', 'acme'),
      sound.replace('version: 1', 'version: 2'),
    ]) {
      expect(problemsOf(broken)).not.toEqual([]);
      expect(validate(parse(broken))).toBe(false);
    }
  });

  test('describes every key, so that an editor can show what it means', () => {
    const silent: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, inner] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(inner as Readonly<Record<string, object>>)) {
            if (!('description' in property) && !('$ref' in property)) silent.push(`${path}.${name}`);
          }
        }
        walk(inner, `${path}.${key}`);
      }
    };
    walk(JSON.parse(infraJsonSchemaText()), '');
    expect(silent).toEqual([]);
  });
});
