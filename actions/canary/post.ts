import manifest from '../../package.json' with { type: 'json' };

process.stdout.write(`Sluice ${manifest.version} · canary: after the run\n`);

const core = await import('@actions/core');
const state = core.getState('run');
// Without it nothing was begun: another command, or an input that was wrong.
if (state !== '') {
  const { runStep } = await import('../../github/index.ts');
  // No input but the token is read again: what later steps left of the checkout must not matter here.
  const read = (name: string) => (name === 'token' ? core.getInput(name) : '');
  await runStep(read, async ({ token }, host) => {
    const { parseSavedRun, restoreBaseline } = await import('./run.ts');
    const deployment = core.getInput('deployment').trim();
    await restoreBaseline(parseSavedRun(state), host, {
      ...(deployment === '' ? {} : { deployment }),
      ...(token === undefined ? {} : { token }),
    });
  });
}
