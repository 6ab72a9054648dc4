import manifest from '../../package.json' with { type: 'json' };

// Before anything heavy is loaded, so that the log says at once what runs.
process.stdout.write(`Sluice ${manifest.version} · data validation\n`);

const core = await import('@actions/core');
const { runAction } = await import('../../github/index.ts');
await runAction(
  (name) => core.getInput(name),
  async () => (await import('./run.ts')).run,
);
