import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newChart } from '../fixtures/test-chart.ts';
import { CustomResource, customKind } from './custom-resource.ts';

const room = join(import.meta.dirname, '..');
const files = readdirSync(room, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

describe('custom resources', () => {
  test('have their apiVersion in crd/ and nowhere else', () => {
    const apiVersion = /'[a-z0-9.-]+\.(?:io|sh|dev|org|com|aws)\/v\d\w*'/;
    const elsewhere = files.filter(
      (path) =>
        !/^(?:crd\/|native\.ts$)|\.test\.ts$/.test(path) && apiVersion.test(readFileSync(join(room, path), 'utf8')),
    );
    expect(elsewhere).toEqual([]);
  });

  test('take fields we do not name, over ours, without losing what is beside them', () => {
    const kind = customKind<{ readonly a: { readonly b: number; readonly c: number } }>(
      'example.com/v1',
      'Thing',
      'things.example.com',
    );
    const thing = new CustomResource(newChart(), 'thing', kind, {
      metadata: { name: 'thing' },
      spec: { a: { b: 1, c: 2 } },
      extra: { a: { c: 3, d: [4] }, e: 'f' },
    });
    expect(thing.toJson().spec).toEqual({ a: { b: 1, c: 3, d: [4] }, e: 'f' });
  });
});
