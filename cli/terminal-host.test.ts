import { expect, test } from 'vitest';
import { terminalHost } from './terminal-host.ts';

function written(): { readonly text: () => string; write(text: string): boolean } {
  const parts: string[] = [];
  return { text: () => parts.join(''), write: (text) => parts.push(text) > 0 };
}
const plain = { colour: false, quiet: false, animate: false };

test('a group is a heading above its work', async () => {
  const log = written();
  const host = terminalHost(log, plain);
  await host.group('Validate data', async () => host.info('12 rows'));
  expect(log.text()).toBe('▸ Validate data\n  12 rows\n');
});

test('without colour no escape sequence is written, whatever the text holds', () => {
  const log = written();
  const host = terminalHost(log, plain);
  host.warning('\u001b[2Jcleared\n::error::forged', { file: 'a\u0007.csv', line: 3 });
  expect(log.text()).not.toContain('\u001b');
  expect(log.text().trimEnd().split('\n')).toHaveLength(1);
  expect(log.text()).toContain('a\\u{7}.csv:3');
});

test('quiet keeps warnings and errors and drops the rest', async () => {
  const log = written();
  const host = terminalHost(log, { ...plain, quiet: true, animate: true });
  await host.group('A heading', async () => host.info('a detail'));
  host.notice('a notice');
  host.progress('work').update(1, 2);
  host.warning('a warning');
  expect(log.text()).toBe('warning a warning\n');
});

test('progress is not drawn where nobody looks on', () => {
  const log = written();
  const progress = terminalHost(log, plain).progress('scoring');
  progress.update(1, 2);
  progress.end();
  expect(log.text()).toBe('');
});

test('the bar shows how far the work is and is gone when it ends', () => {
  const log = written();
  const progress = terminalHost(log, { ...plain, animate: true }).progress('scoring');
  progress.update(1, 2);
  expect(log.text()).toContain(' 50%  scoring');
  progress.end();
  expect(log.text().endsWith('\r\u001b[K')).toBe(true);
});

test('a line written while a bar is drawn stands above the bar', () => {
  const log = written();
  const host = terminalHost(log, { ...plain, animate: true });
  host.progress('scoring').update(1, 4);
  host.warning('slow disk');
  expect(log.text()).toMatch(/warning slow disk\n {2}━+ +25% {2}scoring$/);
});

test('the bar is redrawn a few times a second, and always at the end', () => {
  let clock = 0;
  const log = written();
  const progress = terminalHost(log, { ...plain, animate: true, now: () => clock }).progress('scoring');
  for (let done = 1; done <= 1000; done++) {
    clock += 1;
    progress.update(done, 1000);
  }
  expect(log.text().split('\r').length - 1).toBeLessThan(20);
  expect(log.text()).toContain('100%  scoring');
});
