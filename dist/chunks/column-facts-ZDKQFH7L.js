import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a,b}from"./chunk-LCFTPTSC.js";import"./chunk-GBIMCQQL.js";import"./chunk-BKERWTS3.js";import"./chunk-FJB5GKRQ.js";import"./chunk-E6ULMH7L.js";import"./chunk-4FDQNJL7.js";import"./chunk-SE6Z6Z5M.js";export{b as isNumeric,a as readTableFacts};
