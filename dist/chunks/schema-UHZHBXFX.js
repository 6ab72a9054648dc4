import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as n,b as m}from"./chunk-63OFDGSS.js";import"./chunk-ZDIDZCUS.js";import"./chunk-IUQZOEFX.js";import{g as a}from"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import{a as r}from"./chunk-SE6Z6Z5M.js";import{writeFile as l}from"node:fs/promises";import{resolve as u}from"node:path";function S(s,o){n(s.command("schema").option("--output <file>","write it there instead of to standard output")).summary("print the policy's JSON Schema").description("Prints the JSON Schema (2020-12) of sluice.yaml. Editors complete and check a policy with it.").addHelpText("after",`
Examples:
  $ sluice schema --output sluice.schema.json
  then, as the first line of sluice.yaml:
  # yaml-language-server: $schema=sluice.schema.json`).action(t=>m(o,t,async c=>{let{policyJsonSchema:p}=await import("./policy-APIKFBVD.js"),i=`${JSON.stringify(p(),null,2)}
`;return t.output===void 0?o.streams.stdout.write(i):(await l(u(o.streams.directory,t.output),i).catch(e=>{throw new a({code:"unwritable-file",message:`cannot write the schema (${e instanceof Error?e.message:String(e)})`,place:{file:t.output??""},fix:"Give --output a file in a folder that exists and can be written."},{cause:e})}),c.info(`Wrote ${t.output}`)),0}))}r(S,"addSchema");export{S as addSchema};
