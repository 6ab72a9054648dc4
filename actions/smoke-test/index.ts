import manifest from '../../package.json' with { type: 'json' };

// Before anything heavy is loaded, so that the log says at once what runs.
process.stdout.write(`Sluice ${manifest.version} · smoke test\n`);

const core = await import('@actions/core');
const { runAction } = await import('../../github/index.ts');
const read = (name: string) => core.getInput(name);
await runAction(read, async () => {
  const { run, smokeInputsFrom } = await import('./run.ts');
  return (inputs, host) => run(smokeInputsFrom(inputs, read), host);
});
