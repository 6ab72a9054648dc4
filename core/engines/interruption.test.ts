import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const module = new URL('interruption.ts', import.meta.url).href;

/** What a process writes and how it ends that has an engine open, and is told to stop when it says so. */
async function interrupted(signal: NodeJS.Signals, more = ''): Promise<readonly [string, unknown]> {
  const script = `
    const { cancelledWithTheProcess } = await import(${JSON.stringify(module)});
    ${more}
    cancelledWithTheProcess({ cancel: async () => { await new Promise((resolve) => setTimeout(resolve, 20)); console.log('cancelled'); } });
    cancelledWithTheProcess({ cancel: async () => { console.log('left'); } })();
    setInterval(() => {}, 1000);
    console.log('open');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = '';
  for await (const part of child.stdout) {
    written += String(part);
    if (written.endsWith('open\n')) child.kill(signal);
  }
  const code = child.exitCode ?? (await once(child, 'close'))[0];
  return [written, code];
}

it('what runs on an engine is ended when the process is told to stop, and not on one that was left', async () => {
  expect(await interrupted('SIGTERM')).toEqual(['open\ncancelled\n', 143]);
});

it('what else was to happen then happens after it', async () => {
  const other = "process.once('SIGINT', () => { console.log('interrupted'); process.exit(7); });";
  expect(await interrupted('SIGINT', other)).toEqual(['open\ncancelled\ninterrupted\n', 7]);
});
