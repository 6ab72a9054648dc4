/** `node bridge.ts SOCKET PORT COMMAND...`: runs the command while 127.0.0.1:PORT leads to the Unix socket. */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [socket = '', port = '', command = '', ...parameters] = process.argv.slice(2);
const server = createServer((inner) => {
  const outer = connect(socket);
  inner.pipe(outer).pipe(inner);
  inner.on('error', () => outer.destroy());
  outer.on('error', () => inner.destroy());
});
server.listen(Number(port), '127.0.0.1', () => {
  spawn(command, parameters, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
});
