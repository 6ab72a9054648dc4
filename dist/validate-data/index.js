import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t}from"../chunks/chunk-6NDBZYDS.js";import"../chunks/chunk-SE6Z6Z5M.js";process.stdout.write(`Sluice ${t.version} · data validation
`);var a=await import("../chunks/core-Z7NNK33R.js"),{runAction:o}=await import("../chunks/github-SC7QQEFP.js");await o(i=>a.getInput(i),async()=>(await import("../chunks/run-2WRAJDVG.js")).run);
