import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t}from"../chunks/chunk-6NDBZYDS.js";import"../chunks/chunk-NJDAVCWY.js";process.stdout.write(`Sluice ${t.version} · data validation
`);var a=await import("../chunks/core-CXSJCHA6.js"),{runAction:o}=await import("../chunks/github-3GO5QOIL.js");await o(i=>a.getInput(i),async()=>(await import("../chunks/run-WO4Y44UK.js")).run);
