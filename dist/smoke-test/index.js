import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as n}from"../chunks/chunk-6NDBZYDS.js";import{a as o}from"../chunks/chunk-SE6Z6Z5M.js";process.stdout.write(`Sluice ${n.version} · smoke test
`);var a=await import("../chunks/core-Z7NNK33R.js"),{runAction:c}=await import("../chunks/github-SC7QQEFP.js"),r=o(t=>a.getInput(t),"read");await c(r,async()=>{let{run:t,smokeInputsFrom:s}=await import("../chunks/run-22IN2LMA.js");return(i,e)=>t(s(i,r),e)});
