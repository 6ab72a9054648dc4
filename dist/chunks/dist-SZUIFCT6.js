import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a}from"./chunk-4FDQNJL7.js";import"./chunk-SE6Z6Z5M.js";export default a();
