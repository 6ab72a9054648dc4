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
function written(templates: readonly Omit<TemplateFile, 'path'>[]): readonly TemplateFile[] {
  const home = mkdtempSync(join(folder, 'all-'));
  return templates.map(({ from, template }) => {
    const path = join(home, `${from}.json`);
    writeFileSync(path, JSON.stringify(template));
    return { from, path, template };
  });
}

/** An action and a property that are none, a public bucket, a role for anybody and a queue that just goes. */
const spoiled: Template = {
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

let findings: readonly Finding[] = [];
beforeAll(async () => {
  // In one go: each of the linters takes longer to start than to read a template.
  const files = written([...galleryTemplates(), ...appTemplates(), { from: 'spoiled', template: spoiled }]);
  findings = (await Promise.all([cfnLint(files), cfnGuard(files), checkov(files)])).flat();
}, 600_000);
const isSpoiled = ({ from }: Finding): boolean => from === 'spoiled';

describe('templates', () => {
  const ours = () => findings.filter((finding) => !isSpoiled(finding));

  test('of every construct and stack break no rule of cfn-lint, cfn-guard and Checkov that no exemption explains', () => {
    expect(judge(ours(), templateExemptions).errors).toEqual([]);
  });

  test('break every rule that an exemption is for, or it has to go', () => {
    expect(judge(ours(), templateExemptions).stale).toEqual([]);
  });
});

describe('a template with an action and a property that are none, a public bucket, a role for anybody and a queue that just goes', () => {
  test('is refused by cfn-lint', () => {
    expect(rulesOf('cfn-lint')).toEqual(
      // A property that is none, an action that is none, nothing said of what becomes of a queue.
      expect.arrayContaining([
        'E3002: AWS::S3::Bucket Models',
        'W3037: AWS::IAM::Role Anybody',
        'I3011: AWS::SQS::Queue Requests',
      ]),
    );
  });

  test('is refused by cfn-guard', () => {
    expect(rulesOf('cfn-guard')).toEqual(
      // Public access, every action.
      expect.arrayContaining(['CT.S3.PR.1: AWS::S3::Bucket Models', 'CT.IAM.PR.1: AWS::IAM::Role Anybody']),
    );
  });

  test('is refused by Checkov', () => {
    expect(rulesOf('checkov')).toEqual(
      // Public to read, a role for anybody, every action.
      expect.arrayContaining(['CKV_AWS_20: AWS::S3::Bucket Models', 'CKV_AWS_60: AWS::IAM::Role Anybody']),
    );
  });
});

/** `CKV_AWS_20: AWS::S3::Bucket Models`: what a linter has against the spoiled template. */
function rulesOf(linter: string): readonly string[] {
  return findings
    .filter((finding) => isSpoiled(finding) && finding.rule.startsWith(`${linter} `))
    .map(({ rule, object }) => `${rule.slice(rule.indexOf(' ') + 1)}: ${object}`);
}
