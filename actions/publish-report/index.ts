import manifest from '../../package.json' with { type: 'json' };

// Before anything heavy is loaded, so that the log says at once what runs.
process.stdout.write(`Sluice ${manifest.version} · publish report\n`);

const core = await import('@actions/core');
const { runStep } = await import('../../github/index.ts');
const read = (name: string) => core.getInput(name);
// Nothing is checked out here, so the gate's folder is none of this job's.
const readShared = (name: string) => (name === 'working-directory' ? '' : read(name));
await runStep(readShared, async (inputs, host) => {
  const { publishInputsFrom } = await import('./publish-inputs.ts');
  const { run } = await import('./run.ts');
  const report = await run(publishInputsFrom(inputs, read), host);
  host.info(`The gate's report is published: ${report.headline}`);
});
