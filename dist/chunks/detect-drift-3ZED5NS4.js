import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as r,b as i}from"./chunk-TX4OR6RH.js";import"./chunk-63OFDGSS.js";import"./chunk-ZDIDZCUS.js";import"./chunk-IUQZOEFX.js";import"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import{a as o}from"./chunk-SE6Z6Z5M.js";function x(n,a){r(n.command("detect-drift")).option("--reference <file>","what to compare with; takes the place of the policy's drift.reference").option("--current <file>","the data as it is now; takes the place of the policy's drift.current").option("--metrics <file>","write the numbers in Prometheus' text format, for a textfile collector").option("--push-metrics <url>","push them to a Pushgateway").option("--model <name>","whose numbers they are","model").option("--model-version <version>","and of which version","").summary("how far today's data is from a reference").description("Compares the current data with the reference by the policy (its `drift`): each column by its measures, beyond what chance explains.").addHelpText("after",`
Exit codes:
  0    no column has drifted beyond a bound to fail; what is worth watching is a warning
  1    it could not be judged: a wrong flag, a file that cannot be read, a column that is gone
  100  it has drifted

Examples:
  $ sluice detect-drift
  $ sluice detect-drift --current data/this-week.parquet --report drift-report
  $ sluice detect-drift --policy ml/sluice.yaml --json
  $ sluice detect-drift --push-metrics http://pushgateway:9091 --model churn --model-version 3`).action(({reference:s,current:d,metrics:e,pushMetrics:t,model:c,modelVersion:l,...m})=>i(a,m,async()=>{let{run:f}=await import("./run-OCQFGCYU.js"),h=e!==void 0||t!==void 0,p={file:e,pushTo:t,model:c,modelVersion:l},u={reference:s,current:d};return(y,g)=>f({...y,given:u,...h?{metrics:p}:{}},g)}))}o(x,"addDetectDrift");export{x as addDetectDrift};
