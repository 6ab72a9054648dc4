import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t}from"../chunks/chunk-6NDBZYDS.js";import"../chunks/chunk-NJDAVCWY.js";process.stdout.write(`Sluice ${t.version} · pull-request gate
`);var o=await import("../chunks/core-CXSJCHA6.js"),{runAction:r}=await import("../chunks/github-3GO5QOIL.js");await r(i=>o.getInput(i),async()=>(await import("../chunks/run-WHRH5H6Z.js")).run);
