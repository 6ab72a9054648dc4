import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as t}from"../chunks/chunk-6NDBZYDS.js";import"../chunks/chunk-NJDAVCWY.js";process.stdout.write(`Sluice ${t.version} · quality gate
`);var o=await import("../chunks/core-CXSJCHA6.js"),{runAction:a}=await import("../chunks/github-3GO5QOIL.js");await a(i=>o.getInput(i),async()=>(await import("../chunks/run-IABL6S5B.js")).run);
