import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{p as a}from"./chunk-EUTYGASZ.js";import"./chunk-VENS34VN.js";import"./chunk-EVFR2VTR.js";import"./chunk-AMHPGGJI.js";import"./chunk-SE6Z6Z5M.js";export default a();
