import { describe, expect, it } from 'vitest';
import { classifierModel, identityModel } from '../../core/onnx/index.ts';
import { headOnly, parsePolicy, stricterOf } from '../../core/policy/index.ts';
import { checkOf, judge } from './scene.ts';

const narrow = identityModel('float32', ['batch', 2]);
const wide = identityModel('float32', ['batch', 3]);
const id = 'gate/signature/breaking';
const policyOf = (gates: string) => `version: 1\nmodel: { path: model.onnx }\ngates: { ${gates} }\n`;
const of = (policy: string, candidate = wide, base: Uint8Array | undefined = narrow) =>
  judge({
    policy,
    files: { 'model.onnx': candidate },
    ...(base === undefined ? {} : { base: { 'model.onnx': base } }),
  });

describe('what a model takes and gives', () => {
  it('may not break callers of the baseline, also where the policy says nothing of it', async () => {
    const check = checkOf(await of(policyOf('size: { max_mb: 1 }')), id);
    expect(check).toMatchObject({ status: 'fail', observed: '2 breaking changes', place: { key: 'model.path' } });
    expect(check.message).toContain('Input "X" is float32 [batch, 3] instead of float32 [batch, 2]');
  });

  it('is told where it is allowed, and only warned of where that is the severity', async () => {
    const allowed = checkOf(await of(policyOf('signature: { breaking: allow }')), id);
    expect(allowed).toMatchObject({ status: 'pass', observed: '2 breaking changes' });
    expect(allowed.message).toContain('Input "X"');
    expect(checkOf(await of(policyOf('signature: { severity: warn }')), id).status).toBe('warn');
  });

  it('passes unchanged, and without a baseline is asked only where the policy names it', async () => {
    expect(checkOf(await of(policyOf('size: { max_mb: 1 }'), narrow), id)).toMatchObject({
      status: 'pass',
      observed: 'unchanged',
    });
    const alone = (gates: string) => judge({ policy: policyOf(gates), files: { 'model.onnx': narrow } });
    expect((await alone('size: { max_mb: 1 }')).checks.map((check) => check.id)).toEqual(['gate/size/max_mb']);
    expect(checkOf(await alone('signature: { breaking: forbid }'), id).status).toBe('skipped');
  });

  it('names of inputs are shown without what a terminal or a page would read as its own', async () => {
    const check = checkOf(
      await of(
        policyOf('size: { max_mb: 1 }'),
        classifierModel([[1, 2]], [0, 0]),
        identityModel('float32', ['a\u001b[31m', 2]),
      ),
      id,
    );
    expect(check.message).not.toContain('\u001b');
  });
});

describe('a pull request', () => {
  const merged = (base: string, head: string) =>
    stricterOf(parsePolicy(policyOf(base), 'sluice.yaml'), parsePolicy(policyOf(head), 'sluice.yaml'));
  const size = 'size: { max_mb: 1 }';

  it.each([
    ['alone', size, `${size}, signature: { breaking: allow }`, 'forbid'],
    ['against a base that forbids', 'signature: { breaking: forbid }', 'signature: { breaking: allow }', 'forbid'],
    ['with the base', 'signature: { breaking: allow }', 'signature: { breaking: allow }', 'allow'],
    ['by leaving it out', 'signature: { breaking: forbid }', size, 'forbid'],
    ['to be stricter', 'signature: { breaking: allow }', size, 'forbid'],
  ])('decides on breaking changes %s', (_name, base, head, effective) => {
    expect(merged(base, head).policy.gates?.signature?.breaking ?? 'forbid').toBe(effective);
  });

  it('cannot turn the failure into a warning by itself', () => {
    expect(merged(size, `${size}, signature: { severity: warn }`).policy.gates?.signature?.severity ?? 'error').toBe(
      'error',
    );
    expect(
      headOnly(parsePolicy(policyOf('signature: { severity: warn }'), 'p.yaml')).policy.gates?.signature?.severity,
    ).toBe('warn');
  });

  it('may not ask for what there is no baseline for, nor for nothing', () => {
    const errors = (text: string) => {
      try {
        parsePolicy(text, 'p.yaml');
      } catch (error) {
        return (error as { problems: readonly { code: string }[] }).problems.map(({ code }) => code);
      }
      return [];
    };
    expect(
      errors('version: 1\nmodel: { path: m.onnx, baseline: none }\ngates: { signature: { breaking: forbid } }'),
    ).toEqual(['no-baseline']);
    expect(errors(policyOf('signature: {}'))).toEqual(['no-bound']);
  });
});
