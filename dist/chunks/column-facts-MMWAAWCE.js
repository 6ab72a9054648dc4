import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a,b}from"./chunk-DUCQP5NJ.js";import"./chunk-37N77UA2.js";import"./chunk-5KCU7PK4.js";import"./chunk-FJB5GKRQ.js";import"./chunk-ZIGIDVW2.js";import"./chunk-7HT54G4C.js";import"./chunk-4FDQNJL7.js";import"./chunk-SE6Z6Z5M.js";export{b as isNumeric,a as readTableFacts};
