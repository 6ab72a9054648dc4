#!/usr/bin/env node
import { keepCompiledCode } from './code-cache.ts';
import { processStreams } from './streams.ts';

// `sluice gate | head` closes the pipe early. That is no mistake: what is left is not written, and the verdict still is the exit code.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.once('SIGINT', () => {
  process.stderr.write(process.stderr.isTTY ? '\r\u001b[KInterrupted.\n' : 'Interrupted.\n');
  process.exit(130);
});

// What ends a job that is cancelled: as on Ctrl+C, what was put aside is removed and processes that were started end.
process.once('SIGTERM', () => process.exit(143));

keepCompiledCode(process.env);
// Only now, so that it is found compiled.
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2), processStreams());
