import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as o,b as s}from"./chunk-TX4OR6RH.js";import"./chunk-63OFDGSS.js";import"./chunk-ZDIDZCUS.js";import"./chunk-IUQZOEFX.js";import"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import{a as e}from"./chunk-SE6Z6Z5M.js";function p(i,n){o(i.command("validate-data")).summary("only the policy's data checks").option("--gx-json <file>","write the results there as JSON of Great Expectations").description("Checks the data files of the policy (its `data`), and nothing else. Exit codes as `sluice gate`.").addHelpText("after",`
Examples:
  $ sluice validate-data
  $ sluice validate-data --policy ml/sluice.yaml --json
  $ sluice validate-data --gx-json report.gx.json`).action(a=>s(n,a,async()=>{let{run:d}=await import("./run-2WRAJDVG.js"),{gxJson:t}=a;return(l,r)=>d({...l,...t===void 0?{}:{gxFile:t}},r)}))}e(p,"addValidateData");export{p as addValidateData};
