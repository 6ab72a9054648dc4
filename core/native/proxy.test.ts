import { expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const npm = new URL('https://registry.example.com/x');
const proxies = { https_proxy: 'http://secure:1', HTTP_PROXY: 'http://plain:2' };

test('each scheme has its own variable, small letters first', () => {
  expect(proxyFor(npm, proxies)).toBe('http://secure:1');
  expect(proxyFor(new URL('http://example.com'), proxies)).toBe('http://plain:2');
  expect(proxyFor(npm, { https_proxy: 'http://small:1', HTTPS_PROXY: 'http://big:1' })).toBe('http://small:1');
  expect(proxyFor(npm, { https_proxy: '', HTTP_PROXY: 'http://plain:2' })).toBeUndefined();
});

test.each([
  ['registry.example.com', true],
  ['example.com', true],
  ['.example.com', true],
  ['*.example.com', true],
  ['other.org, EXAMPLE.com', true],
  ['example.com:443', true],
  ['*', true],
  ['example.com:8443', false],
  ['ample.com', false],
  ['com.example', false],
  ['', false],
])('NO_PROXY=%s goes directly: %s', (NO_PROXY, direct) => {
  expect(proxyFor(npm, { ...proxies, NO_PROXY })).toBe(direct ? undefined : 'http://secure:1');
});
