import manifest from '../../package.json' with { type: 'json' };

// Before anything heavy is loaded, so that the log says at once what runs.
process.stdout.write(`Sluice ${manifest.version} · canary\n`);

const core = await import('@actions/core');
const { runStep, showReport } = await import('../../github/index.ts');
const read = (name: string) => core.getInput(name);

// GitHub sends SIGINT when a job is cancelled or its time is up, and kills the process some seconds later. What is not done by then is done by `post`.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(`the job was cancelled or ran out of time (${signal})`));
}

await runStep(read, async (gate, host) => {
  const canary = await import('./run.ts');
  const { command, ...inputs } = canary.canaryInputsFrom(gate, read);
  const order = canary.canaryOrders.find((known) => known === command);
  if (order !== undefined) {
    await canary.giveOrder(order, inputs, host);
    return;
  }
  if (command === 'status') {
    const standing = await canary.standingOf(inputs);
    host.info(canary.standingText(standing));
    canary.tellStanding(standing, host);
    return;
  }
  const id = command === 'continue' ? await canary.ongoingRollout(inputs, host) : inputs.id;
  if (command === 'continue' && id === undefined) return;
  const report = await canary.run({ ...inputs, ...(id === undefined ? {} : { id }) }, host, {
    signal: stop.signal,
    onBegin: (saved) => core.saveState('run', JSON.stringify(saved)),
  });
  showReport(report, host);
});
