import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t,b as a}from"./chunk-TX4OR6RH.js";import"./chunk-63OFDGSS.js";import"./chunk-ZDIDZCUS.js";import"./chunk-IUQZOEFX.js";import"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import{a as e}from"./chunk-SE6Z6Z5M.js";function l(o,i){t(o.command("quality-gate")).summary("only the policy's model gates").description("Judges the model of the policy (its `gates`), and nothing else. Exit codes as `sluice gate`.").addHelpText("after",`
Examples:
  $ sluice quality-gate
  $ sluice quality-gate --base origin/main --report sluice-report`).action(s=>a(i,s,async()=>(await import("./run-V7LHCK2N.js")).run))}e(l,"addQualityGate");export{l as addQualityGate};
