import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t}from"../chunks/chunk-6NDBZYDS.js";import"../chunks/chunk-SE6Z6Z5M.js";process.stdout.write(`Sluice ${t.version} · quality gate
`);var o=await import("../chunks/core-Z7NNK33R.js"),{runAction:a}=await import("../chunks/github-SC7QQEFP.js");await a(i=>o.getInput(i),async()=>(await import("../chunks/run-V7LHCK2N.js")).run);
