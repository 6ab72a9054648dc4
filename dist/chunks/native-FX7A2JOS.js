import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as b,b as c,c as d}from"./chunk-WCKNWLVD.js";import{f as a}from"./chunk-RN777JOT.js";import"./chunk-N2OQENYK.js";import"./chunk-NJDAVCWY.js";export{b as bringNativeParts,d as loadDuckDb,c as loadOnnxRuntime,a as nativeVersions};
