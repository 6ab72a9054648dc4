import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{C as a}from"./chunk-EVFR2VTR.js";import"./chunk-AMHPGGJI.js";import"./chunk-SE6Z6Z5M.js";export default a();
