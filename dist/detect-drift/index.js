import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as i}from"../chunks/chunk-6NDBZYDS.js";import{a as r}from"../chunks/chunk-SE6Z6Z5M.js";process.stdout.write(`Sluice ${i.version} · drift
`);var e=await import("../chunks/core-Z7NNK33R.js"),{runAction:c}=await import("../chunks/github-SC7QQEFP.js"),n=r(t=>e.getInput(t),"read");await c(n,async()=>{let{driftInputsFrom:t,run:o}=await import("../chunks/run-OCQFGCYU.js");return(s,a)=>o(t(s,n),a)});
