import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{C as a}from"./chunk-CKXEBDSB.js";import"./chunk-EXZQ2UVJ.js";import"./chunk-SE6Z6Z5M.js";export default a();
