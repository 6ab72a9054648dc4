import manifest from '../../package.json' with { type: 'json' };

// Before anything heavy is loaded, so that the log says at once what runs.
process.stdout.write(`Sluice ${manifest.version} · drift\n`);

const core = await import('@actions/core');
const { runAction } = await import('../../github/index.ts');
const read = (name: string) => core.getInput(name);
await runAction(read, async () => {
  const { driftInputsFrom, run } = await import('./run.ts');
  return (inputs, host) => run(driftInputsFrom(inputs, read), host);
});
