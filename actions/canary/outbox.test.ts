import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

const silent = () => expect.fail('trouble');

/** A promise, and what settles it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('each receiver gets its messages in order, whatever the others do', async () => {
  const outbox = new Outbox(silent);
  const sent: string[] = [];
  const { opened, open } = gate();
  outbox.send('slow', async () => {
    await opened;
    sent.push('slow 1');
  });
  outbox.send('slow', async () => void sent.push('slow 2'));
  outbox.send('quick', async () => void sent.push('quick'));
  await outbox.drain(0);
  expect(sent).toEqual(['quick']);
  open();
  await outbox.drain(60_000);
  expect(sent).toEqual(['quick', 'slow 1', 'slow 2']);
});

test('a receiver that fails is told of once, and still gets what comes next', async () => {
  const told: unknown[] = [];
  const sent: number[] = [];
  const outbox = new Outbox((receiver, error) => told.push([receiver, error]));
  for (const number of [1, 2, 3]) {
    outbox.send('webhook', async () => {
      sent.push(number);
      throw new Error(`refused ${number}`);
    });
  }
  await outbox.drain(60_000);
  expect(told).toEqual([['webhook', new Error('refused 1')]]);
  expect(sent).toEqual([1, 2, 3]);
});

test('what a receiver does not take for long is dropped, and what waits is bounded', async () => {
  const outbox = new Outbox(silent);
  const { opened, open } = gate();
  let sent = 0;
  outbox.send('webhook', () => opened);
  for (let count = 0; count < 1000; count++) outbox.send('webhook', async () => void sent++);
  open();
  await outbox.drain(60_000);
  expect(sent).toBe(49);
  outbox.send('webhook', async () => void sent++);
  await outbox.drain(60_000);
  expect(sent).toBe(50);
});

test('draining what was never sent anything ends at once', async () => {
  await new Outbox(silent).drain(60_000);
});
