import { expect, test } from 'vitest';
import { joined } from './joined.ts';

const check = (id: string) => ({ id, title: id, section: 'data', status: 'pass', message: '' }) as const;
const source = (path: string) => ({ path, sha256: path, rows: 1 });
const model = { path: 'm.onnx', sha256: 'x', bytes: 1 };

test('keeps everything both phases found, in their order, and names a shared file once', () => {
  const notice = { level: 'notice', message: 'n' } as const;
  const both = joined(
    { checks: [check('a')], sources: [source('train.csv'), source('test.csv')] },
    { checks: [check('b')], sources: [source('test.csv')], notices: [notice], candidate: model },
  );
  expect(both).toEqual({
    checks: [check('a'), check('b')],
    sources: [source('train.csv'), source('test.csv')],
    figures: [],
    notices: [notice],
    candidate: model,
  });
});
