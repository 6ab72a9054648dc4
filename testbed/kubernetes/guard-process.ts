/** What a guard's pod runs, but for the folder of its token, which only a kubelet may put where it belongs: `guard-process.ts FOLDER ORDER`. */
import { runGuard } from '../../rollout/guard/run-guard.ts';

const [, , folder = '', order = ''] = process.argv;
const outcome = await runGuard(order, { serviceAccount: folder, everyMs: 100, say: (message) => console.log(message) });
console.log(`guard: ${outcome}`);
