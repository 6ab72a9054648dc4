#!/usr/bin/env node
import { main } from './main.ts';
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

process.exitCode = await main(process.argv.slice(2), processStreams());
