import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{l as a}from"./chunk-VI4Y2YEF.js";import"./chunk-WCJ6X7LT.js";import"./chunk-CKXEBDSB.js";import"./chunk-EXZQ2UVJ.js";import"./chunk-SE6Z6Z5M.js";export default a();
