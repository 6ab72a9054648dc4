import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t,b as a}from"./chunk-TX4OR6RH.js";import"./chunk-63OFDGSS.js";import"./chunk-ZDIDZCUS.js";import"./chunk-IUQZOEFX.js";import"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import{a as e}from"./chunk-SE6Z6Z5M.js";function l(i,s){t(i.command("gate")).summary("validate the data, judge the model, report").description("Validates the data and judges the model by one policy: what the GitHub Action does on a pull request.").addHelpText("after",`
Exit codes:
  0    the gate passed
  1    it could not be judged: a mistake in the policy, a file that is missing
  100  the gate failed

Examples:
  $ sluice gate
  $ sluice gate --policy ml/sluice.yaml --base origin/main --report sluice-report
  $ sluice gate --json | jq -r '.checks[] | select(.status == "fail") | .message'`).action(o=>a(s,o,async()=>(await import("./run-O3JAWGPO.js")).run))}e(l,"addGate");export{l as addGate};
