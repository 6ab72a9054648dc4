/**
 * Linters that others wrote, over the template of everything in the AWS gallery and every stack of the app. What a template does not keep on purpose is in
 * template-exemptions.ts, with its reason.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../linters/exemption.ts';
import type { Finding } from '../linters/finding.ts';
import { cfnGuard } from './cfn-guard.ts';
import { cfnLint } from './cfn-lint.ts';
import { checkov } from './checkov.ts';
import { templateExemptions } from './template-exemptions.ts';
import { appTemplates, galleryTemplates, type Template, type TemplateFile } from './templates.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-templates-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a folder of their own: two of the linters read everything that is in one. */
function written(name: string, templates: readonly Omit<TemplateFile, 'path'>[]): readonly TemplateFile[] {
  const home = mkdtempSync(join(folder, `${name}-`));
  return templates.map(({ from, template }) => {
    const path = join(home, `${from}.json`);
    writeFileSync(path, JSON.stringify(template));
    return { from, path, template };
  });
}

describe('templates', () => {
  let findings: readonly Finding[] = [];
  beforeAll(async () => {
    const files = written('all', [...galleryTemplates(), ...appTemplates()]);
    findings = (await Promise.all([cfnLint(files), cfnGuard(files), checkov(files)])).flat();
  }, 600_000);

  test('of every construct and stack break no rule of cfn-lint, cfn-guard and Checkov that no exemption explains', () => {
    expect(judge(findings, templateExemptions).errors).toEqual([]);
  });

  test('break every rule that an exemption is for, or it has to go', () => {
    expect(judge(findings, templateExemptions).stale).toEqual([]);
  });
});

describe('a template with an action and a property that are none, a public bucket, a role for anybody and a queue that just goes', () => {
  const template: Template = {
    Resources: {
      Models: {
        Type: 'AWS::S3::Bucket',
        Properties: { AccessControl: 'PublicRead', Versioning: true },
      },
      Requests: { Type: 'AWS::SQS::Queue' },
      Anybody: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '*' } }],
          },
          Policies: [
            {
              PolicyName: 'Everything',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  { Effect: 'Allow', Action: '*', Resource: '*' },
                  { Effect: 'Allow', Action: 's3:GetObjekt', Resource: '*' },
                ],
              },
            },
          ],
        },
      },
    },
  };
  test('is refused by cfn-lint', async () => {
    expect(await rulesOf(cfnLint, template)).toEqual(
      // A property that is none, an action that is none, nothing said of what becomes of a queue.
      expect.arrayContaining([
        'E3002: AWS::S3::Bucket Models',
        'W3037: AWS::IAM::Role Anybody',
        'I3011: AWS::SQS::Queue Requests',
      ]),
    );
  });

  test('is refused by cfn-guard', async () => {
    expect(await rulesOf(cfnGuard, template)).toEqual(
      // Public access, every action.
      expect.arrayContaining(['CT.S3.PR.1: AWS::S3::Bucket Models', 'CT.IAM.PR.1: AWS::IAM::Role Anybody']),
    );
  });

  test('is refused by Checkov', async () => {
    expect(await rulesOf(checkov, template)).toEqual(
      // Public to read, a role for anybody, every action.
      expect.arrayContaining(['CKV_AWS_20: AWS::S3::Bucket Models', 'CKV_AWS_60: AWS::IAM::Role Anybody']),
    );
  });
});

/** `CKV_AWS_20: AWS::S3::Bucket Models`. */
async function rulesOf(
  lint: (files: readonly TemplateFile[]) => Promise<readonly Finding[]>,
  template: Template,
): Promise<readonly string[]> {
  const found = await lint(written('spoiled', [{ from: 'spoiled', template }]));
  return found.map(({ rule, object }) => `${rule.slice(rule.indexOf(' ') + 1)}: ${object}`);
}
