import { describe, expect, test } from 'vitest';
import { type Asked, isDenied, isMissingObject, refusal, statusMessage } from './refusal.ts';

const asked: Asked = {
  group: 'networking.istio.io',
  version: 'v1',
  plural: 'virtualservices',
  kind: 'VirtualService',
  verb: 'patch',
  namespace: 'shop',
  name: 'churn',
};
const body = (message: string, details: object = {}): string => JSON.stringify({ kind: 'Status', message, details });
const as = { origin: 'context x of the kubeconfig' };

describe('a refusal of the API server', () => {
  test.each([
    [401, body('Unauthorized'), 'unauthorized'],
    [403, body('virtualservices is forbidden: User "bot" cannot patch resource "virtualservices"'), 'forbidden'],
    [403, body('admission webhook "no.example.com" denied the request: frozen'), 'not-admitted'],
    [404, body('not found', { name: 'churn', kind: 'virtualservices' }), 'no-such-object'],
    [404, '404 page not found', 'no-such-kind'],
    [404, body('namespaces "shop" not found', { name: 'shop', kind: 'namespaces' }), 'no-such-kind'],
    [422, body('spec.weight: Invalid value: "big": must be a number'), 'invalid'],
    [400, body('strict decoding error: unknown field "spec.rules[0].percent"'), 'unknown-field'],
    [418, 'tea', 'refused'],
    [500, '', 'refused'],
  ])('of status %i (%s) says what is wrong and what to do', (status, text, code) => {
    const problem = refusal(status, text, asked, as);
    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(/\S/);
    expect(problem.fix).toMatch(/\S/);
  });

  test('for a missing right gives the rule to add', () => {
    const { message, fix } = refusal(403, body('User "bot" cannot patch resource "virtualservices"'), asked, as);
    expect(message).toBe('bot may not patch virtualservices.networking.istio.io "churn" in the namespace shop');
    expect(fix).toContain(
      'apiGroups: ["networking.istio.io"], resources: [virtualservices], verbs: [patch], resourceNames: [churn]',
    );
  });

  test('leaves out the whole object that a refused patch is told with', () => {
    const quoted = JSON.stringify('{"spec":"a long \\"object\\""}');
    expect(statusMessage(body(`churn is invalid: Invalid value: ${quoted}: testing failed`))).toBe(
      'churn is invalid: testing failed',
    );
  });

  test('is quoted on one line and not without end', () => {
    const { found = '' } = refusal(500, `a\n::warning::\u001b[2J${'x'.repeat(100_000)}`, asked, as);
    expect(found).not.toMatch(/[\n\u001b]/);
    expect(found.length).toBeLessThan(500);
  });

  test('is read where the body is no JSON, and hostile JSON', () => {
    for (const text of ['', 'null', '[]', '{"kind":"Status","message":5}', '{"kind":"Status","details":"x"}']) {
      expect(typeof statusMessage(text)).toBe('string');
      expect(isMissingObject(text, 'churn')).toBe(false);
      expect(isDenied({ status: 403, body: text }, asked)).toBe(false);
    }
    expect(isDenied({ status: 401, body: '' }, asked)).toBe(true);
  });
});
